"""Messages of a replay: what they say survives the queue, and what is no message is named."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from millrace.aggregates import Version
from millrace.reference import EnrichedReference, MalformedReference, Reference
from millrace.replay.message import MalformedReplayMessage, ReplayMessage
from millrace.replay.reference import ReplayReference, is_replayed
from millrace_testing.builders import SHARD

MESSAGE = ReplayMessage(
    event_id="e#1/é",
    entity_id="user_1",
    event_time=datetime(2025, 12, 28, 9, 30, 0, 123000, UTC),
    arrival_time=datetime(2025, 12, 28, 9, 31, tzinfo=UTC),
    s3_bucket="data",
    s3_key="raw/dt=2025-12-28/hour=09/x.ndjson.gz",
    offset=100,
    length=50,
    line=7,
    replay_id="r1",
    version=Version("1766914200"),
    correlation_id="c1",
)
REFERENCE = ReplayReference("r1", Version("1766914200"), "ab12", "enriched/k", "d1", "c1")


def test_a_message_is_read_as_it_was_written():
    """Every field survives the queue."""
    assert ReplayMessage.parse(MESSAGE.to_json()) == MESSAGE


def test_a_message_has_the_fields_that_other_consumers_rely_on():
    """A queue of the user's own reads the documented names."""
    documented = {
        "event_id", "entity_id", "event_time", "s3_bucket", "s3_key", "offset", "length", "line",
        "replay_id", "version", "correlation_id",
    }  # fmt: skip
    assert documented | {"arrival_time"} == orjson.loads(MESSAGE.to_json()).keys()


def test_no_two_lines_have_the_same_place():
    """The place tells lines of one member apart, and members of one object."""
    assert len({replace(MESSAGE, line=n, offset=o).place for n in (1, 2) for o in (1, 2)}) == 4


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("event_id", "", "event_id"),
        ("s3_key", None, "s3_key"),
        ("offset", -1, "offset"),
        ("line", "3", "line"),
        ("length", True, "length"),
        ("arrival_time", "2025-12-28T09:31:00", "arrival_time"),
    ],
)
def test_a_bad_field_is_named(field, value, said):
    """What is no message says which field is at fault."""
    fields = orjson.loads(MESSAGE.to_json()) | {field: value}
    with pytest.raises(MalformedReplayMessage, match=said):
        ReplayMessage.parse(orjson.dumps(fields).decode())


@pytest.mark.parametrize("body", ["", "[]", "nonsense"])
def test_what_is_no_object_is_refused(body):
    """Neither kind of message is read out of something else."""
    with pytest.raises(MalformedReplayMessage):
        ReplayMessage.parse(body)
    with pytest.raises(MalformedReference):
        ReplayReference.parse(body)
    assert not is_replayed(body)


def test_a_replays_reference_is_told_from_a_live_one():
    """Both travel on the aggregate queue."""
    live = EnrichedReference.from_reference(Reference("c", SHARD, 1, "raw/x", "corr"), "e", "d")
    assert ReplayReference.parse(REFERENCE.to_json()) == REFERENCE
    assert is_replayed(REFERENCE.to_json())
    assert not is_replayed(live.to_json())


@pytest.mark.parametrize("field", ["version", "object_id", "defs_version"])
def test_a_reference_that_lacks_a_field_is_refused(field):
    """The field is named."""
    fields = orjson.loads(REFERENCE.to_json())
    del fields[field]
    with pytest.raises(MalformedReference, match=field):
        ReplayReference.parse(orjson.dumps(fields).decode())


def test_a_reference_of_another_format_is_refused():
    """A later release's reference is not guessed at."""
    fields = orjson.loads(REFERENCE.to_json()) | {"v": 2}
    with pytest.raises(MalformedReference, match="version 1"):
        ReplayReference.parse(orjson.dumps(fields).decode())


@pytest.mark.parametrize("version", ["live", "", "1#2", "-1"])
def test_a_reference_under_no_replay_s_version_is_refused(version):
    """Events that were counted live must not be counted live again."""
    fields = orjson.loads(REFERENCE.to_json()) | {"version": version}
    with pytest.raises(MalformedReference, match="version"):
        ReplayReference.parse(orjson.dumps(fields).decode())
