"""The shims' logic, without the engine."""

import json
from typing import Any

import pytest

from millrace_local.shims.calls import counting, throttles_only
from millrace_local.shims.emf import Metric, metrics_of
from millrace_local.shims.iam import partiql_check, with_names, with_partiql
from millrace_local.shims.patching import MissingAttribute, replace
from millrace_local.shims.streams import keeping_tags, without_leading_zeros
from millrace_local.shims.upkeep import now_and_then, when_the_oldest_is_due
from millrace_local.shims.workers import worker_environment

TABLES = "arn:aws:dynamodb:us-east-1:000000000000:table/"


@pytest.mark.parametrize(
    ("statement", "action", "resource"),
    [
        ("INSERT INTO \"p-gate\" VALUE {'id': ?}", "Insert", "p-gate"),
        ("insert into gate value {'id': ?}", "Insert", "gate"),
        ('SELECT * FROM "p-gate" WHERE id = ?', "Select", "p-gate"),
        ('SELECT a,\n b FROM "p-commits"."unfinished"', "Select", "p-commits/index/unfinished"),
        ('UPDATE "p-gate" SET a = ? WHERE id = ?', "Update", "p-gate"),
        ('DELETE FROM "p-gate" WHERE id = ?', "Delete", "p-gate"),
    ],
)
def test_a_statement_needs_the_action_of_its_verb(
    statement: str, action: str, resource: str
) -> None:
    """Each verb has its own action, on the table or the index that it names.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    """
    assert partiql_check(statement, TABLES) == (f"dynamodb:PartiQL{action}", TABLES + resource)


def checks_of(action: str, request: Any) -> list[tuple[str, str]]:
    checks = with_partiql(lambda *_: [("transaction", "*")])
    return checks(action, json.dumps(request).encode(), "us-east-1", "000000000000")


def test_a_batch_is_checked_statement_by_statement() -> None:
    """Every statement is authorised, so none rides along with another."""
    statements = [
        {"Statement": "INSERT INTO a VALUE {'id': ?}"},
        {"Statement": "DELETE FROM b WHERE id = ?"},
    ]
    assert checks_of("dynamodb:BatchExecuteStatement", {"Statements": statements}) == [
        ("dynamodb:PartiQLInsert", TABLES + "a"),
        ("dynamodb:PartiQLDelete", TABLES + "b"),
    ]


def test_a_statement_that_is_not_understood_needs_what_no_policy_grants() -> None:
    """An unknown statement is not waved through."""
    found = checks_of("dynamodb:ExecuteStatement", {"Statement": "EXISTS (whatever)"})
    assert found == [("dynamodb:ExecuteStatement", "*")]


def test_other_actions_keep_their_checks() -> None:
    """Transactions are authorised as ministack does it."""
    assert checks_of("dynamodb:TransactWriteItems", {}) == [("transaction", "*")]


def emf(**members: Any) -> str:
    directive = {
        "Namespace": "Millrace",
        "Dimensions": [["service"]],
        "Metrics": [{"Name": "Accepted", "Unit": "Count"}],
    }
    aws = {"Timestamp": 1, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": aws, "service": "ingest", **members})


def test_embedded_metrics_are_found_between_other_lines() -> None:
    """Every value of a well-formed document is a metric; other lines are none."""
    log = "\n".join(["START", emf(Accepted=3), '{"message": "plain"}', emf(Accepted=[1, 2])])
    expected = [
        Metric("Millrace", "Accepted", v, "Count", {"service": "ingest"}) for v in (3, 1, 2)
    ]
    assert list(metrics_of(log)) == expected


@pytest.mark.parametrize("line", ['{"_aws": 1}', '{"_aws": {', emf(), emf(Accepted="many")])
def test_a_malformed_document_is_passed_over(line: str) -> None:
    """A function cannot break its invocation by what it prints."""
    assert list(metrics_of(line)) == []


def test_a_worker_inherits_nothing_of_the_engines_settings() -> None:
    """What started the engine is hidden; what the function's configuration sets is not."""
    env = {"AUTH": "true", "PATH": "/bin", "AWS_REGION": "us-east-1", "TABLE": "t"}
    assert worker_environment(env, frozenset({"AUTH", "AWS_REGION"})) == {
        "PATH": "/bin",
        "AWS_REGION": "us-east-1",
        "TABLE": "t",
    }


def test_tags_are_stored_only_for_a_stream_that_was_created() -> None:
    """A refused CreateStream tags nothing."""
    tagged: list[dict[str, Any]] = []

    def add_tags(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        tagged.append(data)
        return 200, {}, b""

    request = {"StreamName": "s", "Tags": {"a": "b"}}
    keeping_tags(lambda _: (400, {}, b""), add_tags)(request)
    assert tagged == []
    keeping_tags(lambda _: (200, {}, b""), add_tags)(request)
    assert tagged == [request]


def test_sequence_numbers_survive_being_read_as_integers() -> None:
    """As text and as integers they are in one order, and nothing is lost in between."""
    made = iter(["000000001795000000000000000001", "000000001795000000010000000000"])
    issue = without_leading_zeros(lambda: next(made))
    numbers = [issue(), issue()]
    assert [str(int(number)) for number in numbers] == numbers
    assert [len(number) for number in numbers] == [56, 56]
    assert sorted(numbers) == sorted(numbers, key=int) == numbers


def test_upkeep_is_done_when_its_time_has_come() -> None:
    """What was just done is left out, and done again as soon as it is due."""
    done: list[float] = []
    times = iter([100.0, 100.0, 100.0, 104.9, 105.0, 105.0])
    upkeep = now_and_then(lambda: done.append(1), 5.0, lambda: next(times))
    for _ in range(3):
        upkeep()
    assert len(done) == 2


@pytest.mark.parametrize(
    ("arrivals", "expired"),
    [([], False), ([[]], False), ([[3600.0]], False), ([[3600.0], [3599.9, 3601.0]], True)],
)
def test_records_are_looked_at_when_the_oldest_is_too_old(
    arrivals: list[list[float]], *, expired: bool
) -> None:
    """A record is kept until its stream's hours are over, in whichever shard it is, not longer."""
    looked: list[object] = []
    shards = [
        {"records": [{"ApproximateArrivalTimestamp": at} for at in each]} for each in arrivals
    ]
    stream = {"RetentionPeriodHours": 24, "shards": dict(enumerate(shards))}
    when_the_oldest_is_due(looked.append, lambda: 25 * 3600.0)(stream)
    assert bool(looked) == expired


def test_a_changed_ministack_is_named() -> None:
    """A shim whose target is gone says which, instead of failing somewhere else later."""
    with pytest.raises(MissingAttribute, match=r"ministack\.services\.kinesis\._create_stream"):
        replace("services.kinesis", "_create_stream", None)


def test_every_call_is_counted_once_and_with_its_error():
    """By its log, whoever made it; what Invoke counts besides is left out, but throttles."""
    counted: list[tuple[str, dict[str, Any]]] = []
    logged: list[str] = []

    def emit(name: str, **values: Any) -> None:
        counted.append((name, values))

    log = counting(lambda _func, request_id, *_rest, **_more: logged.append(request_id), emit)
    log({"config": {"FunctionName": "f"}}, "r-1", "text", True, 7, log_source=None)
    throttles_only(emit)("f", duration_ms=7.0, error=True, throttle=False)
    throttles_only(emit)("f", duration_ms=0.0, error=False, throttle=True)
    assert logged == ["r-1"]
    assert counted == [
        ("f", {"duration_ms": 7, "error": True, "throttle": False}),
        ("f", {"duration_ms": 0.0, "error": False, "throttle": True}),
    ]


@pytest.mark.parametrize(
    ("method", "found", "named"),
    [
        ("GET", "lambda:PutFunctionConcurrency", "lambda:GetFunctionConcurrency"),
        ("DELETE", "lambda:PutFunctionConcurrency", "lambda:DeleteFunctionConcurrency"),
        ("PUT", "lambda:PutFunctionConcurrency", "lambda:PutFunctionConcurrency"),
        ("POST", "sqs:SendMessageBatch", "sqs:SendMessage"),
        ("POST", None, None),
    ],
)
def test_an_action_is_named_as_aws_names_it(method, found, named):
    """Reading a function's concurrency needs no right to set it."""
    assert with_names(lambda *_: found)("service", method, "/path") == named
