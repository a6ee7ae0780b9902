"""The event contract: what a producer may send, and the verdict on what it sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from millrace import identity
from millrace.errors import RejectedRecord
from millrace.payload_models import model_for
from millrace.reasons import RejectReason
from millrace.times import parse_rfc3339

UNKNOWN_SOURCE = "unknown"
UTF8_BOM = b"\xef\xbb\xbf"
_LINE_BREAKS = bytes.maketrans(b"\r\n", b"  ")
_REASON_BY_PYDANTIC_TYPE = {
    "missing": RejectReason.MISSING_FIELD,
    "string_too_short": RejectReason.BAD_LENGTH,
    "string_too_long": RejectReason.BAD_LENGTH,
    "string_pattern_mismatch": RejectReason.BAD_FORMAT,
    "greater_than_equal": RejectReason.BAD_FORMAT,
}


class EventFields(BaseModel):
    """The fields of one event as sent. Unknown keys are kept as they came."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)

    event_type: Annotated[str, StringConstraints(min_length=1, max_length=128)]
    entity_id: Annotated[str, StringConstraints(min_length=1, max_length=256)]
    event_time: str
    event_id: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = None
    idempotency_key: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    source: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_.-]{1,64}\z")] = UNKNOWN_SOURCE
    client_id: Annotated[str, StringConstraints(min_length=1, max_length=256)] | None = None
    payload: dict[str, Any] = Field(default_factory=dict)
    schema_version: Annotated[int, Field(ge=1)] = 1
    correlation_id: Annotated[str, StringConstraints(max_length=256)] | None = None


@dataclass(frozen=True, slots=True)
class EventLimits:
    """Bounds that a deployment sets."""

    max_future_skew: timedelta = timedelta(minutes=5)
    max_event_bytes: int = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Event:
    """One valid event: its identity, its time in UTC, and its line for the raw object."""

    event_id: str
    event_time: datetime
    fields: EventFields
    content_hash: bytes
    line: bytes

    @property
    def source(self) -> str:
        """The declared source, `unknown` if none was given."""
        return self.fields.source

    @property
    def client_id(self) -> str:
        """The declared client, else the source."""
        return self.fields.client_id or self.fields.source

    @property
    def gate_key(self) -> bytes:
        """The 16-byte key of (source, event_id)."""
        return identity.gate_key(self.source, self.event_id)


def judge_event(data: bytes, arrival: datetime, limits: EventLimits) -> Event:
    """Return the event in `data` as `parse_event` does; a fault of the parser is a verdict, too.

    Raises:
        RejectedRecord: with the first reason found, UNREADABLE for a fault.
    """
    try:
        return parse_event(data, arrival, limits)
    except RejectedRecord:
        raise
    except Exception as err:
        message = f"the parser failed: {type(err).__name__}"
        raise RejectedRecord(RejectReason.UNREADABLE, message) from err


def parse_event(data: bytes, arrival: datetime, limits: EventLimits) -> Event:
    """Return the event in `data`, or say why there is none.

    The verdict depends on `data`, `arrival` and `limits` alone, never on the clock: a second
    attempt at the same record must come to the same end.

    Raises:
        RejectedRecord: with the first reason found.
    """
    if len(data) > limits.max_event_bytes:
        raise RejectedRecord(
            RejectReason.TOO_LARGE,
            f"the event has {len(data)} bytes; the limit is {limits.max_event_bytes}",
        )
    event = read_event(data, latest=arrival + limits.max_future_skew)
    _check_payload(event.fields)
    return event


def read_event(data: bytes, latest: datetime | None = None) -> Event:
    """Return the event in `data`, as `parse_event` does but without limits of a deployment.

    For lines that passed once (raw objects): they must stay readable when a limit is lowered or a
    payload model becomes stricter.
    """
    line = data.removeprefix(UTF8_BOM).translate(_LINE_BREAKS).strip()
    parsed = _object_in(line)
    fields = _validated(parsed)
    event_time = parse_rfc3339(fields.event_time)
    if latest is not None and event_time > latest:
        raise RejectedRecord(
            RejectReason.TIME_IN_FUTURE,
            f"event_time {fields.event_time} is later than {latest.isoformat()}, "
            "the latest allowed at its arrival; check the sender's clock",
        )
    canonical = _canonical(parsed)
    return Event(
        event_id=_event_id(fields, canonical),
        event_time=event_time,
        fields=fields,
        content_hash=identity.content_hash(canonical),
        line=line,
    )


def _object_in(line: bytes) -> Mapping[str, object]:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as err:
        raise RejectedRecord(RejectReason.NOT_UTF8, str(err)) from err
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError as err:
        raise RejectedRecord(RejectReason.NOT_JSON, str(err)) from err
    if not isinstance(parsed, dict):
        kind = type(parsed).__name__
        raise RejectedRecord(
            RejectReason.NOT_AN_OBJECT, f"an event is a JSON object, this is {kind}"
        )
    return parsed


def _validated(parsed: Mapping[str, object]) -> EventFields:
    try:
        return EventFields.model_validate(parsed)
    except ValidationError as err:
        field, message = _first_fault(err)
        kind = err.errors(include_url=False, include_input=False, include_context=False)[0]["type"]
        reason = _REASON_BY_PYDANTIC_TYPE.get(kind, RejectReason.WRONG_TYPE)
        raise RejectedRecord(reason, f"{field}: {message}") from err


def _canonical(parsed: Mapping[str, object]) -> bytes:
    try:
        return identity.canonical_json(parsed)
    except TypeError as err:  # orjson writes 254 levels, but reads 1,024
        raise RejectedRecord(
            RejectReason.NESTED_TOO_DEEP, "the event is nested more than 254 levels deep"
        ) from err


def _check_payload(fields: EventFields) -> None:
    model = model_for(fields.event_type, fields.schema_version)
    if model is None:
        return
    try:
        model.model_validate(fields.payload)
    except ValidationError as err:
        field, message = _first_fault(err)
        raise RejectedRecord(RejectReason.PAYLOAD_INVALID, f"payload.{field}: {message}") from err


def _first_fault(err: ValidationError) -> tuple[str, str]:
    first = err.errors(include_url=False, include_input=False, include_context=False)[0]
    return ".".join(str(part) for part in first["loc"]), first["msg"]


def _event_id(fields: EventFields, canonical: bytes) -> str:
    if fields.event_id is not None:
        return fields.event_id
    if fields.idempotency_key is not None:
        return identity.keyed_event_id(fields.source, fields.idempotency_key)
    return identity.content_event_id(canonical)
