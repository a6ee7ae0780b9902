"""An entity's events in a window, out of the index."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from millrace.aws.events import EventReader
from millrace.aws.index import IndexReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.metering import meter_objects, meter_tables
from millrace.aws.objects import S3Objects
from millrace.index import IndexEntry
from millrace.investigate.timeline import entry_fields
from millrace.read_cost import ReadCost
from millrace_cli.aggregates import parse_instant
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.investigation import answering


@dataclass(frozen=True, slots=True)
class EventsQuery:
    """Whose events of which event times, `start` included, `end` not."""

    entity_id: str
    start: datetime
    end: datetime
    include_duplicates: bool = False
    source: str | None = None
    event_type: str | None = None

    def wants(self, entry: IndexEntry) -> bool:
        """Tell whether source and type are those that are asked for."""
        return self.source in (None, entry.source) and self.event_type in (None, entry.event_type)


def parse_query(
    entity_id: str,
    start: str,
    end: str | None,
    *,
    include_duplicates: bool,
    source: str | None = None,
    event_type: str | None = None,
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
    return EventsQuery(entity_id, first, last, include_duplicates, source, event_type)


class Events:
    """The events of one environment."""

    def __init__(self, environment: Environment) -> None:
        outputs, dynamodb = environment.outputs, environment.clients.dynamodb()
        s3 = environment.clients.s3()
        self.cost = ReadCost()
        meter_tables(dynamodb, self.cost)
        meter_objects(s3, self.cost)
        self._index = IndexReader(dynamodb, outputs.tables.event_index)
        self._events = EventReader(
            dynamodb,
            outputs.tables.gate,
            DynamoLedger(dynamodb, outputs.tables.commits),
            S3Objects(s3, outputs.data_bucket),
        )

    def rows(self, query: EventsQuery, *, payload: bool = False) -> Iterator[dict[str, Any]]:
        """Yield the events in order of event time as fields for JSON.

        Raises:
            CommandError: the index or an event cannot be read.
        """
        with answering("read the event index"):
            for entry in self._index.all_events_of(
                query.entity_id,
                query.start,
                query.end,
                include_duplicates=query.include_duplicates,
            ):
                if query.wants(entry):
                    yield entry_fields(entry, self._events.read(entry) if payload else None)
