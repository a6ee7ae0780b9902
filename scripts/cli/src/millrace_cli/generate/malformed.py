"""Records that are no events, each made of a real one by a fault that senders do make.

One kind for each reason that a line of text can have. Corrupt gzip and KPL records are faults of
the transport, too large ones depend on a deployment's limit, and payloads on its models.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from millrace.reasons import RejectReason
from millrace_cli.generate.sessions import SampleEvent

_TOO_DEEP = 300
"""Levels: JSON parsers read them, the contract's canonical form ends at 254."""
_Change = Callable[[dict[str, Any]], object]


@dataclass(frozen=True, slots=True)
class MalformedKind:
    """A way in which a sender gets an event wrong, and the reason that ingest will give."""

    reason: RejectReason
    spoil: Callable[[SampleEvent], bytes]


def _changed(change: _Change) -> Callable[[SampleEvent], bytes]:
    def spoil(event: SampleEvent) -> bytes:
        fields = orjson.loads(event.body)
        change(fields)
        return orjson.dumps(fields)

    return spoil


def _with(**fields: object) -> Callable[[SampleEvent], bytes]:
    return _changed(lambda event: event.update(fields))


def _cut_off(event: SampleEvent) -> bytes:
    return event.body[: len(event.body) // 2]


def _latin1(event: SampleEvent) -> bytes:
    return event.body.replace(b'"payload":{', '"payload":{"city":"Zürich",'.encode("latin-1"))


def _list(event: SampleEvent) -> bytes:
    return b"[" + event.body + b"]"


def _without_entity(fields: dict[str, Any]) -> None:
    del fields["entity_id"]


def _without_offset(fields: dict[str, Any]) -> None:
    fields["event_time"] = fields["event_time"].removesuffix("Z")


def _day_first(fields: dict[str, Any]) -> None:
    day, time = fields["event_time"].split("T")
    year, month, number = day.split("-")
    fields["event_time"] = f"{number}/{month}/{year} {time[:8]}"


def _too_deep(event: SampleEvent) -> bytes:
    deep = b'{"a":' * _TOO_DEEP + b"1" + b"}" * _TOO_DEEP
    return event.body.replace(b'"payload":{', b'"payload":{"tree":' + deep + b",")


KINDS = (
    MalformedKind(RejectReason.MISSING_FIELD, _changed(_without_entity)),
    MalformedKind(RejectReason.TIME_WITHOUT_OFFSET, _changed(_without_offset)),
    MalformedKind(RejectReason.NOT_JSON, _cut_off),
    MalformedKind(RejectReason.TIME_NOT_RFC3339, _changed(_day_first)),
    MalformedKind(RejectReason.WRONG_TYPE, _with(entity_id=4711)),
    MalformedKind(RejectReason.BAD_FORMAT, _with(source="Web Shop")),
    MalformedKind(RejectReason.BAD_LENGTH, _with(entity_id="")),
    MalformedKind(RejectReason.NOT_UTF8, _latin1),
    MalformedKind(RejectReason.TIME_IN_FUTURE, _with(event_time="9999-01-01T00:00:00.000Z")),
    MalformedKind(RejectReason.NOT_AN_OBJECT, _list),
    MalformedKind(RejectReason.NESTED_TOO_DEEP, _too_deep),
)
"""In order: so many malformed records have so many different reasons."""
