"""Single events: an entity's in a window out of the index, one by its id through the gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from millrace.aws.events import EventReader
from millrace.aws.index import IndexReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.errors import ConfigError, MillraceError, RetryableError
from millrace.index import IndexEntry
from millrace.stored import StoredEvent
from millrace.times import format_ms, to_epoch_ms
from millrace_cli.aggregates import parse_instant
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class EventsQuery:
    """Whose events of which event times, `start` included, `end` not."""

    entity_id: str
    start: datetime
    end: datetime
    include_duplicates: bool = False


def parse_query(
    entity_id: str, start: str, end: str | None, *, include_duplicates: bool
) -> EventsQuery:
    """Return the query; without an end it is the day from `start` on.

    Raises:
        CommandError: a time is malformed, or the window is empty.
    """
    first = parse_instant(start, "--from")
    last = parse_instant(end, "--to") if end else first + timedelta(days=1)
    if first >= last:
        raise CommandError(
            "--to is not after --from", "the window ends before --to", ExitCode.USAGE
        )
    return EventsQuery(entity_id, first, last, include_duplicates)


class Events:
    """The events of one environment."""

    def __init__(self, environment: Environment) -> None:
        outputs, dynamodb = environment.outputs, environment.clients.dynamodb()
        self._index = IndexReader(dynamodb, outputs.tables.event_index)
        self._events = EventReader(
            dynamodb,
            outputs.tables.gate,
            DynamoLedger(dynamodb, outputs.tables.commits),
            S3Objects(environment.clients.s3(), outputs.data_bucket),
        )

    def rows(self, query: EventsQuery, *, payload: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the events in order of event time as fields for JSON.

        Raises:
            CommandError: the index or an event cannot be read.
        """
        with _readable("read the event index"):
            for entry in self._index.all_events_of(
                query.entity_id,
                query.start,
                query.end,
                include_duplicates=query.include_duplicates,
            ):
                yield entry_fields(entry, self._events.read(entry) if payload else None)

    def by_id(self, source: str, event_id: str) -> StoredEvent:
        """Return the event that first came under (source, event_id).

        Raises:
            CommandError: there is none, or it cannot be read.
        """
        with _readable("read the event"):
            found = self._events.by_id(source, event_id)
        if found is None:
            raise CommandError(
                f"no event {event_id} of source {source} is known",
                "check --source; an id is forgotten after the gate's horizon, "
                "look by entity then (`millrace events`)",
            )
        return found


def entry_fields(entry: IndexEntry, stored: StoredEvent | None = None) -> dict[str, Any]:
    """Return an index entry for JSON; with the stored event also its payload."""
    fields = {
        "event_id": entry.event_id,
        "event_type": entry.event_type,
        "entity_id": entry.entity_id,
        "event_time": format_ms(entry.event_time),
        "source": entry.source,
        "arrival_time": format_ms(entry.arrival_time),
        "lag_ms": to_epoch_ms(entry.arrival_time) - to_epoch_ms(entry.event_time),
        "duplicate": entry.duplicate,
        "commit_id": entry.commit_id,
        "line": entry.line,
    }
    return fields if stored is None else fields | {"payload": _payload(stored)}


def stored_fields(stored: StoredEvent, *, payload: bool = False) -> dict[str, Any]:
    """Return a stored event for JSON: the event as it was sent, and where it lies."""
    event = orjson.loads(stored.raw)
    if not payload:
        event.pop("payload", None)
    return {
        "event": event,
        "arrival_time": format_ms(stored.arrival_time),
        "committed_at": format_ms(stored.committed_at),
        "commit_id": stored.commit_id,
        "correlation_id": stored.correlation_id,
        "shard": stored.owner.shard,
        "sequence": str(stored.owner.seq),
        "position": stored.owner.position,
        "raw_key": stored.place.key,
        "raw_offset": stored.place.offset,
        "raw_length": stored.place.length,
        "line": stored.line,
        "line_in_member": stored.place.line_in_member,
    }


def _payload(stored: StoredEvent) -> object:
    return orjson.loads(stored.raw).get("payload", {})


@contextmanager
def _readable(intent: str) -> Iterator[None]:
    with explained(intent):
        try:
            yield
        except (ConfigError, RetryableError):
            raise
        except MillraceError as err:
            raise CommandError(f"cannot {intent}: {err}") from err
