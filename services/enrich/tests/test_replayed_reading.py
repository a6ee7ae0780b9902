"""From messages and bytes to events, or to the reason why there is none."""

from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from enrich.replayed.deliveries import Delivery, SkipReason, batches_of
from enrich.replayed.reading import (
    MAX_MEMBER_BYTES,
    by_member,
    events_in,
    object_id,
    unsound,
)
from millrace.aggregates import LIVE
from millrace.raw_lines import pack
from millrace.replay.message import ReplayMessage
from millrace_testing.builders import ARRIVAL, event_bytes
from millrace_testing.replays import REPLAY_ID, REPLAY_VERSION, replay_record

LINES = [event_bytes(number) for number in range(3)]
BODY = pack(LINES).body
MESSAGE = ReplayMessage(
    event_id="event-1",
    entity_id="user_1",
    event_time=ARRIVAL - timedelta(minutes=2),
    arrival_time=ARRIVAL,
    s3_bucket="data",
    s3_key="raw/a.ndjson.gz",
    offset=0,
    length=len(BODY),
    line=1,
    replay_id=REPLAY_ID,
    version=REPLAY_VERSION,
    correlation_id="corr-1",
)


def delivery(message_id: str = "m", **fields: object) -> Delivery:
    return Delivery(message_id, replace(MESSAGE, **fields))


def without(name: str) -> str:
    fields = orjson.loads(MESSAGE.to_json())
    del fields[name]
    return orjson.dumps(fields).decode()


def test_messages_are_sorted_by_replay():
    """Each replay has its messages, malformed ones with as much of their ids as can be told."""
    other = replace(MESSAGE, replay_id="other")
    bodies = {
        "a": MESSAGE.to_json(),
        "b": other.to_json(),
        "c": without("arrival_time"),
        "d": "not JSON",
        "e": without("offset"),
        "f": "[]",
        "g": without("replay_id"),
    }
    found = {each.replay_id: each for each in batches_of(bodies)}
    assert set(found) == {REPLAY_ID, "other", ""}
    assert found[REPLAY_ID].message_ids == ["a", "c", "e"]
    assert found["other"].message_ids == ["b"]
    assert found[""].message_ids == ["d", "f", "g"]
    partly, placeless = found[REPLAY_ID].malformed
    assert (partly.place, partly.event_id) == (MESSAGE.place, "event-1")
    assert partly.listed is not None
    assert partly.listed.reason == "malformed_message"
    assert "arrival_time" in partly.detail
    assert (placeless.place, placeless.listed) == ("", None)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"version": "1766914299"}, SkipReason.OTHER_VERSION),
        ({"version": LIVE}, SkipReason.OTHER_VERSION),
        ({"s3_bucket": "elsewhere"}, SkipReason.FOREIGN_OBJECT),
        ({"s3_key": "config/metrics.toml"}, SkipReason.FOREIGN_OBJECT),
        ({"length": 0}, SkipReason.BAD_RANGE),
        ({"length": MAX_MEMBER_BYTES + 1}, SkipReason.BAD_RANGE),
    ],
)
def test_messages_that_cannot_be_followed(fields, reason):
    """A version of others (live above all), a place of others, and no range are refused."""
    assert unsound(delivery(), replay_record(), "data") is None
    skip = unsound(delivery(**fields), replay_record(), "data")
    assert skip is not None
    assert skip.reason is reason


def test_a_member_is_fetched_once():
    """Messages come by the member that holds them, members in the order of their places."""
    deliveries = [
        delivery(str(n), s3_key=f"raw/{key}", offset=offset, line=line)
        for n, (key, offset, line) in enumerate(
            [("b", 0, 1), ("a", 9, 4), ("b", 0, 0), ("a", 0, 7), ("a", 9, 4)]
        )
    ]
    groups = by_member(deliveries)
    assert [member[:2] for member in groups] == [("raw/a", 0), ("raw/a", 9), ("raw/b", 0)]
    assert [[each.message_id for each in group] for group in groups.values()] == [
        ["3"], ["1", "4"], ["2", "0"],
    ]  # fmt: skip


def test_the_event_that_a_message_names_is_read():
    """Out of its line, with the arrival that the message brings along."""
    (read,), skips = events_in(BODY, [delivery()])
    assert skips == []
    row = read.row("defs")
    assert (row.event_id, row.entity_id, row.defs_version) == ("event-1", "user_1", "defs")
    assert row.arrival_time == ARRIVAL


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        (BODY[:-1], {}, SkipReason.CORRUPT_MEMBER),
        (b"", {}, SkipReason.CORRUPT_MEMBER),
        (b"x" * len(BODY), {}, SkipReason.CORRUPT_MEMBER),
        (BODY[:30] + b"\0\1" + BODY[32:], {}, SkipReason.CORRUPT_MEMBER),
        (BODY, {"line": 3}, SkipReason.LINE_MISSING),
        (BODY, {"line": 2}, SkipReason.OTHER_EVENT),
        (BODY, {"event_id": "event-9"}, SkipReason.OTHER_EVENT),
    ],
)
def test_what_cannot_be_read_has_a_reason(body, fields, reason):
    """Every way in which the bytes are not the event that the message names, told apart."""
    events, (skip,) = events_in(body, [delivery(**fields)])
    assert events == []
    assert (skip.reason, skip.message_id) == (reason, "m")
    assert skip.place == delivery(**fields).message.place


def test_a_line_that_is_no_event():
    """The reason is named, and nothing of the line is."""
    body = pack([b'{"secret": "s3cr3t"}']).body
    _, (skip,) = events_in(body, [delivery(line=0, length=len(body))])
    assert skip.reason is SkipReason.NOT_AN_EVENT
    assert "missing_field" in skip.detail
    assert "s3cr3t" not in skip.detail


def test_an_object_is_named_by_its_events():
    """Whatever the order of messages; other events or other definitions make another object."""
    assert object_id(["a", "b"], "d") == object_id(["b", "a"], "d")
    others = {object_id(*each) for each in ((["a", "b"], "d"), (["a"], "d"), (["a", "b"], "e"))}
    assert len(others) == 3
