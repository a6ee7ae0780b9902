"""The verdict on what a producer sent."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest
from pydantic import BaseModel

from millrace.enriched import EnrichedEvent, normalised
from millrace.errors import RejectedRecord
from millrace.event import EventLimits, parse_event, read_event
from millrace.payload_models import model_for, payload_model
from millrace.reasons import RejectReason

pytestmark = pytest.mark.validation

ARRIVAL = datetime(2025, 12, 28, 9, 30, tzinfo=UTC)
VALID = {"event_type": "view", "entity_id": "user_1", "event_time": "2025-12-28T09:29:00Z"}


@payload_model("test_event.paid")
class Paid(BaseModel):
    """A model for the tests."""

    amount: float


def without(name: str) -> bytes:
    return orjson.dumps({key: value for key, value in VALID.items() if key != name})


def with_(**fields: object) -> bytes:
    return orjson.dumps(VALID | fields)


def nested(levels: int) -> bytes:
    """Return an event of so many levels, the event itself and its payload counted."""
    inner = b'{"a":' * (levels - 2) + b"1" + b"}" * (levels - 2)
    return with_(payload={"p": 0}).replace(b'"p":0', b'"p":' + inner)


REJECTED = [
    (b"\xff", RejectReason.NOT_UTF8),
    (b"", RejectReason.NOT_JSON),
    (b'{"a":NaN}', RejectReason.NOT_JSON),
    (b'"text"', RejectReason.NOT_AN_OBJECT),
    (nested(255), RejectReason.NESTED_TOO_DEEP),
    (nested(1023), RejectReason.NESTED_TOO_DEEP),
    (without("event_type"), RejectReason.MISSING_FIELD),
    (without("entity_id"), RejectReason.MISSING_FIELD),
    (without("event_time"), RejectReason.MISSING_FIELD),
    (with_(entity_id=7), RejectReason.WRONG_TYPE),
    (with_(payload=[]), RejectReason.WRONG_TYPE),
    (with_(schema_version="1"), RejectReason.WRONG_TYPE),
    (with_(event_type=""), RejectReason.BAD_LENGTH),
    (with_(event_type="x" * 129), RejectReason.BAD_LENGTH),
    (with_(entity_id="x" * 257), RejectReason.BAD_LENGTH),
    (with_(event_id=""), RejectReason.BAD_LENGTH),
    (with_(source="Web Shop"), RejectReason.BAD_FORMAT),
    (with_(source="web\n"), RejectReason.BAD_FORMAT),
    (with_(schema_version=0), RejectReason.BAD_FORMAT),
    (with_(event_type="test_event.paid", payload={"amount": "much"}), RejectReason.PAYLOAD_INVALID),
    (with_(event_time="28.12.2025"), RejectReason.TIME_NOT_RFC3339),
    (with_(event_time="2025-02-30T00:00:00Z"), RejectReason.TIME_NOT_RFC3339),
    (with_(event_time="0001-01-01T00:00:00+10:00"), RejectReason.TIME_NOT_RFC3339),
    (with_(event_time="2025-12-28T09:29:00"), RejectReason.TIME_WITHOUT_OFFSET),
    (with_(event_time="2025-12-28T09:35:00.001Z"), RejectReason.TIME_IN_FUTURE),
    (with_(payload={"x": "y" * 1_100_000}), RejectReason.TOO_LARGE),
]


@pytest.mark.parametrize(("data", "reason"), REJECTED)
def test_each_fault_has_its_reason(data, reason):
    """Every way to be malformed is told apart."""
    with pytest.raises(RejectedRecord) as rejected:
        parse_event(data, ARRIVAL, EventLimits())
    assert rejected.value.reason is reason


def test_every_reason_is_reachable():
    """The vocabulary holds no reason that no record can get."""
    of_ingest = {RejectReason.KPL_CORRUPT, RejectReason.GZIP_CORRUPT, RejectReason.UNREADABLE}
    assert {reason for _, reason in REJECTED} == set(RejectReason) - of_ingest


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-12-28T09:29:00Z", ARRIVAL - timedelta(minutes=1)),
        ("2025-12-28t10:29:00.000+01:00", ARRIVAL - timedelta(minutes=1)),
        ("2025-12-28 09:29:00.123456789z", datetime(2025, 12, 28, 9, 29, 0, 123456, UTC)),
        ("2025-12-28T09:35:00Z", ARRIVAL + timedelta(minutes=5)),
    ],
)
def test_times_in_every_allowed_form(text, instant):
    """RFC 3339 in any of its spellings, up to the allowed skew ahead of arrival."""
    assert parse_event(with_(event_time=text), ARRIVAL, EventLimits()).event_time == instant


def test_defaults():
    """Source is `unknown`, the client is the source, the payload is empty."""
    event = parse_event(with_(), ARRIVAL, EventLimits())
    assert (event.source, event.client_id, event.fields.payload) == ("unknown", "unknown", {})
    assert event.fields.schema_version == 1


def test_the_line_is_the_bytes_as_they_came():
    """Only line breaks (white space in JSON), the mark of UTF-8 and outer space are touched."""
    sent = (
        b'\xef\xbb\xbf{"event_type":"view",\r\n "entity_id":"u",'
        b'  "event_time":"2025-12-28T09:29:00Z"}\n'
    )
    event = parse_event(sent, ARRIVAL, EventLimits())
    assert event.line == (
        b'{"event_type":"view",   "entity_id":"u",  "event_time":"2025-12-28T09:29:00Z"}'
    )


def test_the_verdict_does_not_depend_on_the_clock():
    """Only the record's arrival decides what is too far ahead."""
    data = with_(event_time="2040-01-01T00:00:00Z")
    arrival = datetime(2040, 1, 1, tzinfo=UTC)
    assert parse_event(data, arrival, EventLimits()).event_time == arrival


def test_payload_models_hold_for_their_type_and_version():
    """A registered payload is checked, another version is not, and a place is taken once."""
    assert model_for("test_event.paid", 1) is Paid
    good = with_(event_type="test_event.paid", payload={"amount": 1.5})
    other = with_(event_type="test_event.paid", schema_version=2, payload={"amount": "much"})
    for data in (good, other):
        assert parse_event(data, ARRIVAL, EventLimits()).fields.event_type == "test_event.paid"
    with pytest.raises(RejectedRecord, match=r"payload\.amount"):
        parse_event(with_(event_type="test_event.paid"), ARRIVAL, EventLimits())
    with pytest.raises(ValueError, match="already"):
        payload_model("test_event.paid")(type("Other", (BaseModel,), {}))


def test_a_stored_line_stays_readable_under_a_stricter_model():
    """Raw lines passed once; models and limits of today do not apply to them."""
    line = with_(event_type="test_event.paid", payload={"amount": "much"})
    assert read_event(line).fields.payload == {"amount": "much"}


def test_the_deepest_event_goes_all_the_way():
    """What is accepted can be written as an enriched row too."""
    event = parse_event(nested(254), ARRIVAL, EventLimits())
    row = normalised(event, 0, "version")
    assert EnrichedEvent.from_line(row.to_line()) == row
