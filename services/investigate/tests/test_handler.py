"""API Gateway's shapes, from AWS's own samples, and what clients are answered."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from investigate import handler
from investigate.domain.paths import spelled
from investigate.handler import handle
from millrace.commit import Stage
from millrace.errors import ConfigError, RetryableError
from millrace.investigate.cockpit.findings import (
    Check,
    Finding,
    Severity,
    Step,
    Tool,
    logs,
    millrace,
)
from millrace.investigate.unfinished import LastOfShard
from millrace.investigate.walking import Period
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.investigation import arrived, unbounded
from millrace_testing.lambda_context import lambda_context

EVENT, ENTITY = "GET /events/{id+}", "GET /entities/{path+}"
A_USERS_EVENTS = 6
DAY = {"from_": "2025-12-28", "to": "2025-12-29"}
FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
SAMPLES = ["powertools-python/apiGatewayProxyV2IamEvent.json", "aws-sam-cli/HttpApi.json"]


@pytest.mark.skipif(not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("name", SAMPLES)
def test_official_samples_are_read(name, world):
    """Their own routes and parameters are none of ours; with ours they are answered."""
    official = json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))
    assert handle(official, lambda_context(), world.desk)["statusCode"] == 404
    ours = official | {"routeKey": "GET /status", "queryStringParameters": {"max_pages": "1"}}
    assert handle(ours, lambda_context(29_000), world.desk)["statusCode"] == 200


def test_an_event_is_told_with_what_its_traces_are_found_by(send, world):
    """Its commit's correlation id, its bytes and each of its parts."""
    response, body = send(EVENT, "event-3", source="web")
    assert response["statusCode"] == 200
    assert (body["event_id"], body["found_by"]) == ("event-3", "gate")
    assert body["event"]["entity_id"] == body["entity_id"] == "user_3"
    assert body["first"]["correlation_id"] == world.commit.head.correlation_id
    assert body["read"].keys() == {"query_pages", "read_units", "object_reads"}


def test_odd_ids_are_found_however_they_are_spelled(send, world):
    """As base64url, and as the gateway hands on percent-encoded ones."""
    for odd in world.odd_ids:
        parts = [spelled(odd)] + ([] if odd.startswith("~") else [odd.replace("%", "%25")])
        for part in parts:
            assert send(EVENT, part, source="web")[1]["event_id"] == odd
            listed = send(ENTITY, f"{part}/events", **DAY)[1]
            assert [each["event_id"] for each in listed["events"]] == [odd]


def test_an_entitys_events_come_page_by_page(send):
    """In order of event time; the pages make the whole and do not overlap."""
    whole = send(ENTITY, "user_3/events", **DAY, limit=100)[1]
    assert (len(whole["events"]), whole["coverage"]["complete"]) == (A_USERS_EVENTS, True)
    found, cursor = [], {}
    while True:
        page = send(ENTITY, "user_3/events", **DAY, limit=4, **cursor)[1]
        found += page["events"]
        if page["coverage"]["cursor"] is None:
            break
        assert len(page["events"]) == 4
        cursor = {"cursor": page["coverage"]["cursor"]}
    assert found == whole["events"] == sorted(found, key=lambda each: each["event_time"])


def test_payloads_are_read_only_if_asked_for(send):
    """Each with its event."""
    bare = send(ENTITY, "user_3/events", **DAY)[1]["events"]
    full = send(ENTITY, "user_3/events", **DAY, payload="true")[1]["events"]
    assert [{k: v for k, v in each.items() if k != "payload"} for each in full] == bare
    assert all("payload" in each for each in full)


def test_time_that_is_over_ends_a_page_and_the_cursor_goes_on(send):
    """One event at least, however little time there is; nothing is lost or told twice."""
    found, cursor, ended = [], {}, []
    while True:
        page = send(ENTITY, "user_3/events", **DAY, payload="1", remaining_ms=1, **cursor)[1]
        found += [each["event_id"] for each in page["events"]]
        if page["coverage"]["cursor"] is None:
            break
        ended.append(page["coverage"]["ended_by"])
        cursor = {"cursor": page["coverage"]["cursor"]}
    assert len(found) == len(set(found)) == A_USERS_EVENTS
    assert set(ended) == {"time"}


def test_aggregates_come_page_by_page_with_every_digit(send):
    """In order of window, version and metric."""
    response, whole = send("GET /aggregates", scope="TYPE#view")
    assert len(whole["rows"]) == 6
    assert '"value":100000000000000000001,' in response["body"]
    first = send("GET /aggregates", scope="TYPE#view", limit=4)[1]
    assert (len(first["rows"]), first["coverage"]["complete"]) == (4, False)
    rest = send("GET /aggregates", scope="TYPE#view", cursor=first["coverage"]["cursor"])[1]
    assert first["rows"] + rest["rows"] == whole["rows"]
    one = send("GET /aggregates", scope="TYPE#view", metric="users", version="all", limit=3)[1]
    assert [row["metric_name"] for row in one["rows"]] == ["users"] * 3
    assert one["coverage"]["complete"]


def test_aggregates_in_no_time_still_go_on(send):
    """A row at least is looked at each time."""
    found, cursor, turns = [], {}, 0
    while turns < 20:
        page = send("GET /aggregates", scope="TYPE#view", remaining_ms=1, **cursor)[1]
        found += page["rows"]
        turns += 1
        if page["coverage"]["complete"]:
            break
        cursor = {"cursor": page["coverage"]["cursor"]}
    assert len(found) == 6


def test_a_bounded_report_goes_on_from_its_cursor(send, world):
    """Commits of two pages, one page an answer."""
    later = arrived(replace(world.commit, head=replace(world.commit.head, first_seq=500)), ARRIVAL)
    world.ledger.commits[SHARD, 500] = later
    times = {
        "from_": format_ms(ARRIVAL - timedelta(hours=1)),
        "to": format_ms(ARRIVAL + timedelta(hours=1)),
    }
    first = send("GET /lag", max_pages=1, **times)[1]
    assert first["coverage"]["ended_by"] == "pages"
    rest = send("GET /lag", cursor=first["coverage"]["cursor"], **times)[1]
    whole = send("GET /lag", **times)[1]
    assert first["coverage"]["commits"] + rest["coverage"]["commits"] == 2
    assert first["total"]["events"] + rest["total"]["events"] == whole["total"]["events"] > 0


@pytest.mark.parametrize(
    ("route", "verb"),
    [("GET /duplicates", "duplicates"), ("GET /late", "late"), ("GET /sources", "sources")],
)
def test_reports_are_those_of_the_use_cases(send, world, route, verb):
    """What the command prints, but for what reading took."""
    period = Period(ARRIVAL - timedelta(hours=1), ARRIVAL + timedelta(hours=1))
    now = (world.clock.now(),) if verb == "sources" else ()
    expected = getattr(world.desk, verb).report(period, unbounded(), *now).as_json()
    told = send(route, from_=format_ms(period.start), to=format_ms(period.end))[1]
    assert told.pop("read")
    assert told == json.loads(json.dumps(expected))


def test_status_says_what_is_left_to_do(send, world):
    """By stage, with the age of the oldest."""
    assert send("GET /status")[1]["settled"]
    head = replace(world.commit.head, marks={Stage.ENRICHED: {"events": 47}})
    world.unfinished.heads = [head]
    world.unfinished.since = [world.clock.now() - timedelta(minutes=2)]
    world.unfinished.last = [LastOfShard(SHARD, head, 3)]
    told = send("GET /status")[1]
    accepted = head.counts.accepted
    assert told["waiting_events"] == {"enriched": 0, "aggregated": accepted, "archived": accepted}
    assert (told["settled"], told["pending_references"]) == (False, 3)
    assert told["discarded_batches"] == {"count": 1, "oldest_age_s": 120.0}
    assert told["unfinished_commits"]["count"] == 1


def test_status_tells_what_the_cockpit_found(send, world):
    """Ranked, with commands to copy and what was looked at; of the window that was asked about."""
    off = Finding(
        Severity.ERROR, "archive is not called", 1, logs("archive"),
        Step(Tool.MAPPING_ON, ("uuid-1",)), "its mapping is Disabled", world.clock.now(),
        "archive", is_cause=True,
    )  # fmt: skip
    dead = Finding(Severity.CRITICAL, "2 dead letters", 2, millrace("dlq", "show", "archive"))
    world.checks = [Check("services", "11 functions", (off,)), Check("dead", "6 queues", (dead,))]
    told = send("GET /status", since="2h")[1]
    assert told["window"] == {
        "since": format_ms(world.clock.now() - timedelta(hours=2)), "complete": True
    }  # fmt: skip
    assert [each["what"] for each in told["findings"]] == ["2 dead letters", off.what]
    assert told["findings"][1] == {
        "check": "services", "severity": "error", "what": off.what, "number": 1,
        "since": format_ms(world.clock.now()), "why": off.why, "service": "archive",
        "look": told["findings"][1]["look"],
        "fix": 'eval "$(millrace env)" && '
        "aws lambda update-event-source-mapping --enabled --uuid uuid-1",
    }  # fmt: skip
    assert "/aws/lambda/mr-archive" in told["findings"][1]["look"]
    assert [each["looked_at"] for each in told["checks"]] == ["11 functions", "6 queues"]


@pytest.mark.parametrize(
    ("route", "part", "query", "expected"),
    [
        (EVENT, "nobody", {}, (404, "id")),
        ("GET /status", None, {"since": "4000d"}, (400, "since")),
        (EVENT, "event-3", {"source": "Web!"}, (400, "source")),
        (EVENT, "event-3", {"day": "2025-12-28"}, (400, "entity")),
        (EVENT, "event-3", {"entity": "user_3"}, (400, "day")),
        (ENTITY, "user_3", {}, (404, "path")),
        (ENTITY, "user_3/events", {}, (400, "from")),
        (ENTITY, "user_3/events", {"from_": "yesterday"}, (400, "from")),
        (ENTITY, "user_3/events", {"from_": "1960-01-01"}, (400, "from")),
        (ENTITY, "user_3/events", {"from_": "2025-01-02", "to": "2025-01-01"}, (400, "to")),
        (ENTITY, "user_3/events", {"from_": "1970-01-01", "to": "2025-01-01"}, (400, "to")),
        (ENTITY, "user_3/events", DAY | {"limit": "0"}, (400, "limit")),
        (ENTITY, "user_3/events", DAY | {"cursor": "AAAA"}, (400, "cursor")),
        (ENTITY, "user_3/events", DAY | {"cursor": "ü"}, (400, "cursor")),
        (ENTITY, "user_3/events", DAY | {"limit": "1", "page": "2"}, (400, "page")),
        (ENTITY, "user_3/gaps", {"longer_than": "0s"}, (400, "longer_than")),
        (ENTITY, "user_3/gaps", {"longer_than": "soon"}, (400, "longer_than")),
        (ENTITY, "user_3/gaps", {"from_": "1970-01-03", "to": "1970-01-04"}, (400, "history")),
        ("GET /lag", None, {"max_pages": "0"}, (400, "max_pages")),
        ("GET /lag", None, {"cursor": "eyJ9"}, (400, "cursor")),
        ("GET /late", None, {"list": "1001"}, (400, "list")),
        ("GET /aggregates", None, {}, (400, "scope")),
        ("GET /aggregates", None, {"scope": "NOBODY#x"}, (400, "scope")),
        ("GET /aggregates", None, {"scope": "TYPE#view", "version": "old"}, (400, "version")),
        ("GET /aggregates", None, {"scope": "TYPE#view", "cursor": "e30"}, (400, "cursor")),
        ("GET /nothing", None, {}, (404, "path")),
    ],
)  # fmt: skip
def test_a_bad_question_names_its_field(send, route, part, query, expected):
    """In problem details, and nothing is read for it that is not bounded."""
    status, name = expected
    response, problem = send(route, part, **query)
    assert (response["statusCode"], problem["status"]) == (status, status)
    assert response["headers"]["content-type"] == "application/problem+json"
    assert [each["field"] for each in problem["errors"]] == [name]


def test_a_cursor_is_good_for_its_own_question_alone(send):
    """Another entity, time or filter refuses it."""
    cursor = send(ENTITY, "user_3/events", **DAY, limit=1)[1]["coverage"]["cursor"]
    assert send(ENTITY, "user_3/events", **DAY, cursor=cursor)[0]["statusCode"] == 200
    for part, query in [("user_4/events", {}), ("user_3/events", {"source": "web"})]:
        response, problem = send(ENTITY, part, **DAY, cursor=cursor, **query)
        assert response["statusCode"] == 400
        assert "another question" in problem["detail"]


def test_an_answer_that_no_response_holds_is_refused(send, monkeypatch):
    """With what to ask instead."""
    monkeypatch.setattr(handler, "MAX_ANSWER_BYTES", 100)
    response, problem = send(ENTITY, "user_3/events", **DAY)
    assert (response["statusCode"], problem["errors"][0]["field"]) == (400, "max_pages")


def test_an_event_whose_bytes_expired_is_not_there(send, world):
    """The message names the object."""
    world.objects.bodies.clear()
    response, problem = send(EVENT, "event-3", source="web")
    assert response["statusCode"] == 404
    assert str(world.commit.head.raw_key) in problem["detail"]


@pytest.mark.parametrize(
    ("error", "status"), [(RetryableError("throttled"), 503), (ConfigError("no right"), 500)]
)
def test_what_is_ours_is_told_from_what_passes(send, world, error, status):
    """503 to send again, 500 for the operators."""

    def fails(most):
        raise error

    world.unfinished.commits = fails
    response, problem = send("GET /status")
    assert (response["statusCode"], "log says why" in problem["detail"]) == (status, True)
    assert ("retry-after" in response["headers"]) == (status == 503)


def test_importing_needs_no_environment():
    """The module can be imported with an empty environment and makes no client."""
    code = "import investigate.handler, boto3; assert boto3.DEFAULT_SESSION is None"
    done = subprocess.run([sys.executable, "-c", code], env={}, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
