"""Golden ids: a change here breaks deduplication across releases."""

from datetime import UTC, datetime

import orjson
import pytest

from millrace import identity
from millrace.event import EventLimits, parse_event

ARRIVAL = datetime(2025, 12, 28, 9, 30, tzinfo=UTC)
BASE = {"event_type": "view", "entity_id": "user_1", "event_time": "2025-12-28T09:29:00Z"}

GOLDEN = [
    ({}, "d4f2a584c8a012c99543700979435204"),
    (
        {"payload": {"b": 1, "a": [1.0, -0.5, 1e21, 12345678901234567890]}},
        "b847bfdc89dde3b4677f6522e91b2de5",
    ),
    ({"payload": {"name": "Zoë \u2028 \U0001f600 /"}}, "4aa1fe13000e90581e3982d9b34a5321"),
    ({"source": "web", "idempotency_key": "order-17"}, "cafa46a313d5129f6631e1a1df8c9f78"),
    ({"event_id": "given#id/1"}, "given#id/1"),
]


def event_id(**fields: object) -> str:
    return parse_event(orjson.dumps(BASE | fields), ARRIVAL, EventLimits()).event_id


@pytest.mark.parametrize(("fields", "expected"), GOLDEN)
def test_golden_ids(fields, expected):
    """The same event has the same id on every machine and release."""
    assert event_id(**fields) == expected


def test_golden_keys():
    """Gate keys, content hashes and input hashes are as fixed as ids: tables hold them."""
    assert identity.gate_key("web", "event-1").hex() == "2efcd0cacb4fc8cd7185fd955fe0cf9f"
    assert identity.content_hash(b"{}").hex() == "f4c6e450c288e67d"
    assert identity.event_hash64("web", "event-1") == 13084647614274139218


def test_key_order_white_space_and_correlation_do_not_matter():
    """What a transport may change leaves the id alone."""
    plain = b'{"event_type":"view","entity_id":"user_1","event_time":"2025-12-28T09:29:00Z"}'
    same = b'{ "event_time":"2025-12-28T09:29:00Z",\r\n"entity_id":"user_1",\
"correlation_id":"c", "event_type":"\\u0076iew"}\n'
    ids = {parse_event(data, ARRIVAL, EventLimits()).event_id for data in (plain, same)}
    assert ids == {event_id()}


@pytest.mark.parametrize("fields", [{"payload": {"n": 1}}, {"payload": {"n": 1.0}}, {"x": None}])
def test_content_matters(fields):
    """Any other difference, an unknown key or a number's type included, makes another event."""
    assert event_id(**fields) != event_id()


def test_ids_of_two_sources_do_not_meet():
    """The same id from two sources is two events, and lengths keep the parts apart."""
    assert identity.gate_key("ab", "c") != identity.gate_key("a", "bc")
