"""Events become records, or a refusal that names every fault."""

from datetime import timedelta

import orjson
import pytest

from ingest_api.domain.events import MAX_RECORD_BYTES, keys_for, ready
from ingest_api.domain.refusals import Refusal, RefusalKind
from millrace.event import EventLimits, parse_event
from millrace.identity import keyed_event_id
from millrace.reasons import RejectReason
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, event_bytes, event_fields

pytestmark = pytest.mark.validation

LIMITS = EventLimits()


def anonymous(**fields: object) -> bytes:
    """Return an event that says nothing about its identity."""
    kept = {name: value for name, value in event_fields(1).items() if name != "event_id"}
    return orjson.dumps(kept | fields)


def one(data: bytes, key: str | None = None):
    (event,) = ready([data], [key], ARRIVAL, LIMITS)
    return event


def refused(events: list[bytes], limits: EventLimits = LIMITS) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ready(events, [None] * len(events), ARRIVAL, limits)
    return caught.value


def test_a_record_is_the_event_as_it_came():
    """Nothing is added: the same event has the same bytes and id through any door, at any time."""
    data = b'{"event_type" : "a", "entity_id":"u","event_time":"2025-12-28T09:30:00Z","x":1.10}'
    event = one(data)
    assert event.record.data == data
    assert event.record.partition_key == "u"
    assert event.event_id == parse_event(data, ARRIVAL, LIMITS).event_id


@pytest.mark.parametrize("said", [{}, {"idempotency_key": None}, {"event_id": None}])
def test_a_key_becomes_the_identity_of_what_has_none(said):
    """The record says so itself, so that ingest comes to the same id; twice is byte for byte."""
    event = one(anonymous(**said), 'k"1')
    assert event.event_id == keyed_event_id("web", 'k"1')
    assert parse_event(event.record.data, ARRIVAL, LIMITS).event_id == event.event_id
    assert orjson.loads(event.record.data)["idempotency_key"] == 'k"1'
    assert one(anonymous(**said), 'k"1') == event


@pytest.mark.parametrize("said", [{"event_id": "e"}, {"idempotency_key": "mine"}])
def test_a_key_does_not_overrule_the_event(said):
    """An event that says who it is goes as it came."""
    data = anonymous(**said)
    assert one(data, "other").record.data == data


def test_an_array_numbers_its_keys():
    """key#0, key#1...; a single event has the key itself, an array of one has key#0."""
    assert keys_for("k", 3, in_array=True) == ["k#0", "k#1", "k#2"]
    assert keys_for("k", 1, in_array=True) == ["k#0"]
    assert keys_for("k", 1, in_array=False) == ["k"]
    assert keys_for(None, 2, in_array=True) == [None, None]


def test_the_longest_key_fits_with_its_number():
    """252 characters and #499 are the 256 that an idempotency_key may have."""
    *_, last = keys_for("k" * 252, 500, in_array=True)
    assert len(last) == 256
    assert one(anonymous(), last).event_id
    for key in ("", "k" * 253):
        with pytest.raises(Refusal) as caught:
            keys_for(key, 1, in_array=False)
        assert caught.value.kind is RefusalKind.UNREADABLE


def test_a_long_entity_has_a_key_all_the_same():
    """256 characters outside ASCII are more bytes than a partition key is sure to hold."""
    assert one(event_bytes(entity_id="ü" * 128)).record.partition_key == "ü" * 128
    assert len(one(event_bytes(entity_id="ü" * 256)).record.partition_key) == 32


def test_all_faults_are_told():
    """Each with its index and ingest's own reason; the good ones are not sent either."""
    future = format_ms(ARRIVAL + timedelta(minutes=6))
    refusal = refused([event_bytes(1), b"{}", b"3", event_bytes(2, event_time=future)])
    assert refusal.kind is RefusalKind.INVALID_EVENTS
    assert [(fault.index, fault.reason) for fault in refusal.faults] == [
        (1, RejectReason.MISSING_FIELD),
        (2, RejectReason.NOT_AN_OBJECT),
        (3, RejectReason.TIME_IN_FUTURE),
    ]
    assert all(fault.detail for fault in refusal.faults)


def test_an_event_may_be_as_large_as_a_record():
    """Data and partition key together fill a record of Kinesis; one byte more is refused."""
    empty = len(event_bytes(1, entity_id="user", payload={"x": ""}))
    room = MAX_RECORD_BYTES - empty - len("user")
    fits = event_bytes(1, entity_id="user", payload={"x": "y" * room})
    assert one(fits).record.size == MAX_RECORD_BYTES
    refusal = refused([b"{}", event_bytes(1, entity_id="user", payload={"x": "y" * (room + 1)})])
    assert refusal.kind is RefusalKind.TOO_LARGE
    assert [fault.reason for fault in refusal.faults] == ["missing_field", "too_large"]


def test_a_deployments_own_limit_counts():
    """What ingest would quarantine as too large is refused here."""
    data = event_bytes(1)
    refusal = refused([data], EventLimits(max_event_bytes=len(data) - 1))
    assert refusal.kind is RefusalKind.TOO_LARGE
