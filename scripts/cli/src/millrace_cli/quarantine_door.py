"""The front door for recovered records: the stream, at a rate, each place remembered."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from millrace.quarantine.ports import Outgoing
from millrace_cli.records import OutRecord, partition_key
from millrace_cli.sending import EventStream, Pacer, Placed, Progress, send


@dataclass
class PlacedRecords(Progress):
    """Progress that knows where every record lies."""

    sequences: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By shard id."""

    def place(self, placed: Placed) -> None:
        """Remember where a record lies."""
        super().place(placed)
        self.sequences[placed.shard_id].add(placed.sequence)


class StreamDoor:
    """`millrace.quarantine.ports.FrontDoor` on an event stream."""

    def __init__(self, stream: EventStream, rate: float | None = None) -> None:
        self._stream = stream
        self._pacer = Pacer(rate) if rate else None
        self.sent = PlacedRecords()

    def put(self, events: Sequence[Outgoing]) -> None:
        """Put the events; when this returns, the stream has taken all of them.

        Raises:
            CommandError: records kept failing for two minutes, or the stream cannot be used.
        """
        records = [
            OutRecord(
                event.data,
                partition_key(event.event.fields.entity_id, event.data),
                event.event.fields.event_type,
            )
            for event in events
        ]
        send(records, self._stream, self.sent, pacer=self._pacer)
