"""Batches that the deployed mapping gives up: kept, told of, repaired, abandoned; IAM enforced."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import orjson
import pytest
from pipeline import SCHEDULED

from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DEADLINE_S = 240
STAGES = ("received", "accepted", "enriched", "aggregated", "archived")


@pytest.fixture(scope="module")
def impatient(pipeline) -> Iterator[None]:
    """The stream's mapping with one retry instead of endless ones; as it was afterwards."""
    client, uuid = pipeline.deployed.client("lambda"), pipeline.outputs["kinesis_mapping_uuid"]
    before = client.get_event_source_mapping(UUID=uuid)["MaximumRetryAttempts"]
    client.update_event_source_mapping(UUID=uuid, MaximumRetryAttempts=1)
    yield
    client.update_event_source_mapping(UUID=uuid, MaximumRetryAttempts=before)


@pytest.fixture
def without_right(pipeline, impatient) -> Callable[[str], Any]:
    """Take a statement from ingest's role for a while; what fails then is soon given up."""
    iam, role = pipeline.deployed.client("iam"), pipeline.outputs["functions"]["ingest"]
    (name,) = iam.list_role_policies(RoleName=role)["PolicyNames"]
    whole = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

    def put(document: Any) -> None:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))

    @contextmanager
    def taken(sid: str) -> Iterator[None]:
        left = [each for each in whole["Statement"] if each["Sid"] != sid]
        assert len(left) == len(whole["Statement"]) - 1
        put({**whole, "Statement": left})
        try:
            yield
        finally:
            put(whole)

    return taken


@pytest.fixture
def events(tmp_path) -> Callable[[str, int], Any]:
    """Write a file of events of a source of their own."""

    def write(source: str, count: int) -> Any:
        file = tmp_path / f"{source}.ndjson"
        lines = [
            orjson.dumps(
                {
                    "event_id": f"{source}-{n}",
                    "event_type": "discarded",
                    "entity_id": f"user_{n % 9}",
                    "event_time": "2025-12-28T09:30:00Z",
                    "source": source,
                }
            )
            for n in range(count)
        ]
        file.write_bytes(b"\n".join(lines) + b"\n")
        return file

    return write


def failures(pipeline, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> Any:
    return json.loads(pipeline.millrace("failures", *arguments, "--json", exit_codes=exit_codes))


def given_up(pipeline, records: int) -> list[dict[str, Any]]:
    """Wait until batches with so many records were given up and noted; return them."""

    def noted() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = failures(pipeline, "list")
        return found if sum(each["records"] for each in found) == records else None

    return wait_until(noted, DEADLINE_S, 0.5)


def counted(pipeline, source: str) -> int:
    """Return the events that aggregates hold of a source."""
    rows = json.loads(
        pipeline.millrace(
            "aggregates", "--scope", f"SOURCE#{source}", "--metric", "event_count", "--json"
        )
    )
    return sum(row["value"] for row in rows)


@pytest.mark.parametrize(("sid", "count"), [("PassGate", 500), ("Store", 5_000)])
def test_what_was_given_up_is_repaired_exactly(pipeline, without_right, events, sid, count):
    """Before the gate or behind it: repaired from the payload, every event counts once.

    Without `Store` the gate has taken the events when the batch fails.
    """
    source = f"given-up-{sid.lower()}"
    before = pipeline.status()["counts"]
    with without_right(sid):
        pipeline.millrace("put", str(events(source, count)))
        found = given_up(pipeline, count)
    status = pipeline.status()
    assert status["counts"]["received"] == before["received"]
    assert sorted(status["discarded_batches"]) == sorted(each["id"] for each in found)
    assert {each["source"] for each in found} == {"payload"}

    previews = failures(pipeline, "repair", "--all", "--dry-run")
    assert sum(each["to_commit"] for each in previews) == count
    shown = failures(pipeline, "show", found[0]["id"], "--records", "1")
    (part,) = shown["found"]["shown"][0]["parts"]
    assert json.loads(part["data"])["source"] == source

    repairs = failures(pipeline, "repair", "--all")
    assert sum(each["accepted"] for each in repairs) == count
    after = pipeline.settled(before["received"] + count)["counts"]
    assert {name: after[name] - before[name] for name in STAGES} == dict.fromkeys(STAGES, count)
    assert after["duplicates"] == before["duplicates"]
    assert counted(pipeline, source) == count
    # Once more: nothing is new.
    again = failures(pipeline, "repair", *(each["id"] for each in found))
    assert [each["committed"] for each in again] == [0] * len(found)
    assert failures(pipeline, "list") == []


@pytest.fixture
def wait_for_alarm(invoke, alarms, rings) -> Callable[[], None]:
    """Wait until the alarm of open discarded batches rings."""

    def wait() -> None:
        invoke("watch", SCHEDULED)  # it counts them each minute
        rings(alarms["discarded-batches"]["AlarmName"])

    return wait


def test_without_its_payload_a_batch_comes_from_the_stream(
    pipeline, without_right, events, wait_for_alarm
):
    """The range is read again under its own sequence numbers; until then the alarm rings."""
    source = "from-the-stream"
    before = pipeline.status()["counts"]
    with without_right("Store"):
        pipeline.millrace("put", str(events(source, 50)))
        found = given_up(pipeline, 50)
    wait_for_alarm()
    forget_payloads(pipeline, found)
    assert {each["source"] for each in failures(pipeline, "list")} == {"stream"}
    repairs = failures(pipeline, "repair", "--all")
    assert {each["source"] for each in repairs} == {"stream"}
    after = pipeline.settled(before["received"] + 50)["counts"]
    assert after["accepted"] - before["accepted"] == 50
    assert counted(pipeline, source) == 50


def test_what_is_gone_for_good_can_be_sent_again(pipeline, without_right, events):
    """Behind the gate, neither payload nor stream: abandoned, then the resend is accepted once."""
    source = "gone-for-good"
    file = events(source, 40)
    before = pipeline.status()["counts"]
    with without_right("Store"):
        pipeline.millrace("put", str(file))
        found = given_up(pipeline, 40)
    forget_payloads(pipeline, found)
    expire(pipeline, found)
    assert {each["state"] for each in failures(pipeline, "list")} == {"expired"}
    failures_of_repair = failures(pipeline, "repair", "--all", exit_codes=(1,))
    assert all("abandon" in each["problem"] for each in failures_of_repair)
    for each in found:
        name = each["id"]
        arguments = ("abandon", name, "--confirm", name, "--reason", "the producer sends it again")
        assert failures(pipeline, *arguments)["abandoned"]
    assert failures(pipeline, "list") == []

    pipeline.millrace("put", str(file))
    after = pipeline.settled(before["received"] + 40)["counts"]
    assert after["accepted"] - before["accepted"] == 40
    pipeline.millrace("put", str(file))
    again = pipeline.settled(before["received"] + 80)["counts"]
    assert again["duplicates"] - after["duplicates"] == 40
    assert counted(pipeline, source) == 40
    refused = failures(pipeline, "repair", found[0]["id"], exit_codes=(1,))
    assert "abandoned" in refused[0]["problem"]
    rows = [json.loads(each) for each in pipeline.millrace("audit", "--json").splitlines()]
    done = {(each["operation"], each["phase"]) for each in rows}
    assert {("failures.repair", "done"), ("failures.abandon", "done")} <= done


def forget_payloads(pipeline, found: list[dict[str, Any]]) -> None:
    """Have the ledger name payloads that are not there, as after their lifecycle."""
    dynamodb, table = pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]["commits"]
    for key in keys_of(pipeline, found):
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET payload_key = :gone",
            ExpressionAttributeValues={":gone": {"S": f"aws/lambda/gone/{uuid4().hex}"}},
        )


def expire(pipeline, found: list[dict[str, Any]]) -> None:
    """Have the records arrived before anything that is kept; the stream's own clock stands."""
    dynamodb, table = pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]["commits"]
    long_ago = datetime.now(UTC) - timedelta(days=40)
    for key in keys_of(pipeline, found):
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET first_arrival = :at",
            ExpressionAttributeValues={":at": {"S": f"{long_ago:%Y-%m-%dT%H:%M:%S}.000Z"}},
        )


def keys_of(pipeline, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    incarnation = pipeline.outputs["stream_incarnation"]
    return [
        {
            "shard": {"S": f"{incarnation}#discarded"},
            "seq": {
                "S": f"{each['shard']}|{int(each['first_sequence']):064d}"
                f"|{int(each['last_sequence']):064d}"
            },
        }
        for each in found
    ]
