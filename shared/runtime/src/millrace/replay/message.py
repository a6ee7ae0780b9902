"""The replay queue's message: one event of history, by the place of its bytes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from millrace.aggregates import Version
from millrace.errors import MillraceError, RejectedRecord
from millrace.times import format_ms, parse_rfc3339


class MalformedReplayMessage(MillraceError):
    """A message body that names no event; it will never become one."""


@dataclass(frozen=True, slots=True)
class ReplayMessage:
    """One event to run again.

    `length` bytes from `offset` of the raw object are a gzip file of their own, in which the event
    is line number `line` (from 0). `arrival_time` travels along because a line does not hold it,
    while lag and the replay's markers (version, event, arrival) need it.
    """

    event_id: str
    entity_id: str
    event_time: datetime
    arrival_time: datetime
    s3_bucket: str
    s3_key: str
    offset: int
    length: int
    line: int
    replay_id: str
    version: Version
    correlation_id: str

    @property
    def member(self) -> tuple[str, int, int]:
        """The gzip member to fetch: messages of one member are read with one Range GET."""
        return self.s3_key, self.offset, self.length

    @property
    def place(self) -> str:
        """The event's place in history, in one line: `key@offset:line`. No two have the same."""
        return f"{self.s3_key}@{self.offset}:{self.line}"

    def to_json(self) -> str:
        """Return the message body."""
        return orjson.dumps(
            {
                "event_id": self.event_id,
                "entity_id": self.entity_id,
                "event_time": format_ms(self.event_time),
                "arrival_time": format_ms(self.arrival_time),
                "s3_bucket": self.s3_bucket,
                "s3_key": self.s3_key,
                "offset": self.offset,
                "length": self.length,
                "line": self.line,
                "replay_id": self.replay_id,
                "version": self.version,
                "correlation_id": self.correlation_id,
            }
        ).decode()

    @classmethod
    def parse(cls, body: str) -> "ReplayMessage":
        """Return the message in a body.

        Raises:
            MalformedReplayMessage: not JSON, or a field is missing or of the wrong type.
        """
        try:
            fields = orjson.loads(body)
        except orjson.JSONDecodeError as err:
            raise MalformedReplayMessage(f"the message body is not JSON: {err}") from err
        if not isinstance(fields, dict):
            raise MalformedReplayMessage("the message body is not a JSON object")
        return cls(
            event_id=_text(fields, "event_id"),
            entity_id=_text(fields, "entity_id"),
            event_time=_time(fields, "event_time"),
            arrival_time=_time(fields, "arrival_time"),
            s3_bucket=_text(fields, "s3_bucket"),
            s3_key=_text(fields, "s3_key"),
            offset=_count(fields, "offset"),
            length=_count(fields, "length"),
            line=_count(fields, "line"),
            replay_id=_text(fields, "replay_id"),
            version=Version(_text(fields, "version")),
            correlation_id=_text(fields, "correlation_id"),
        )


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedReplayMessage(f"the message has no text field `{name}`")
    return value


def _count(fields: Mapping[str, Any], name: str) -> int:
    value = fields.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise MalformedReplayMessage(f"the message's `{name}` is not a whole number from 0")
    return value


def _time(fields: Mapping[str, Any], name: str) -> datetime:
    try:
        return parse_rfc3339(_text(fields, name))
    except RejectedRecord as err:
        raise MalformedReplayMessage(f"the message's `{name}` is not RFC 3339") from err
