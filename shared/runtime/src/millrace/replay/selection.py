"""What a replay selects: an entity, a source or a type, within a half-open window of event time."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.errors import MillraceError, RejectedRecord
from millrace.index import IndexEntry
from millrace.replay.errors import InvalidRequest
from millrace.times import format_ms, parse_rfc3339

DEFAULT_LIMIT = 10_000
_FINER_THAN_MS = re.compile(r"\.\d{3}\d*[1-9]")


class InvalidSelection(InvalidRequest):
    """A selection that cannot be meant."""


class SelectionTooLarge(MillraceError):
    """More events than the limit allows; nothing is planned."""


@dataclass(frozen=True, slots=True)
class Selection:
    """`start <= event time < end`, and every selector that is not None must match."""

    start: datetime
    end: datetime
    entity_id: str | None = None
    source: str | None = None
    event_type: str | None = None
    include_duplicates: bool = False
    limit: int | None = DEFAULT_LIMIT
    """A larger selection is refused, never cut; None: any size."""

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidSelection(
                "end", f"{format_ms(self.end)} is not after the start, {format_ms(self.start)}"
            )
        for field, value in (("entity_id", self.entity_id), ("source", self.source)):
            if value == "":
                raise InvalidSelection(field, "is empty; leave it out to select all")
        if self.event_type == "":
            raise InvalidSelection("event_type", "is empty; leave it out to select all")
        if self.limit is not None and self.limit < 1:
            raise InvalidSelection("limit", f"is {self.limit}; say 1 or more, or none")

    def wants(self, entry: IndexEntry) -> bool:
        """Tell whether an event is selected."""
        return (
            self.start <= entry.event_time < self.end
            and (self.include_duplicates or not entry.duplicate)
            and self.entity_id in (None, entry.entity_id)
            and self.source in (None, entry.source)
            and self.event_type in (None, entry.event_type)
        )

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "start": format_ms(self.start),
            "end": format_ms(self.end),
            "entity_id": self.entity_id,
            "source": self.source,
            "event_type": self.event_type,
            "include_duplicates": self.include_duplicates,
            "limit": self.limit,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Selection":
        """Return the selection that `to_fields` wrote."""
        limit = fields["limit"]
        return cls(
            start=parse_rfc3339(fields["start"]),
            end=parse_rfc3339(fields["end"]),
            entity_id=fields["entity_id"],
            source=fields["source"],
            event_type=fields["event_type"],
            include_duplicates=bool(fields["include_duplicates"]),
            limit=None if limit is None else int(limit),
        )


def parse_bound(text: str, field: str) -> datetime:
    """Return the instant that a bound of a window names, to the millisecond.

    Raises:
        InvalidSelection: not RFC 3339, or no offset: a bound is never guessed to be local or UTC.
    """
    try:
        at = parse_rfc3339(text)
    except RejectedRecord as err:
        raise InvalidSelection(
            field,
            f"{text!r} is not an instant with an offset; write it like 2025-12-28T09:00:00Z",
        ) from err
    if _FINER_THAN_MS.search(text):
        raise InvalidSelection(field, f"{text!r} is finer than milliseconds, which events have")
    return at
