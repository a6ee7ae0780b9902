"""The rows of an enriched object: the events in them, and the lines that are none."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from millrace.enriched import EnrichedEvent
from millrace.errors import RejectedRecord

_TEXTS = ("event_id", "event_type", "entity_id", "source", "client_id", "defs_version")


@dataclass(frozen=True, slots=True)
class Rows:
    """What an object holds. It depends on the object alone, so every attempt sees the same."""

    events: tuple[EnrichedEvent, ...]
    malformed: tuple[int, ...]
    """Numbers of the lines that are no events, from 1."""


def rows_of(lines: Iterable[bytes]) -> Rows:
    """Return the events in `lines`; a line that is none is skipped and named."""
    events: list[EnrichedEvent] = []
    malformed: list[int] = []
    for number, line in enumerate(lines, start=1):
        event = _event_in(line)
        if event is None:
            malformed.append(number)
        else:
            events.append(event)
    return Rows(tuple(events), tuple(malformed))


def _event_in(line: bytes) -> EnrichedEvent | None:
    try:
        event = EnrichedEvent.from_line(line)
    except (ValueError, KeyError, TypeError, RejectedRecord):
        return None  # not JSON, a field missing, of the wrong type, or no time
    texts = all(isinstance(getattr(event, name), str) for name in _TEXTS)
    return event if texts and isinstance(event.payload, Mapping) else None
