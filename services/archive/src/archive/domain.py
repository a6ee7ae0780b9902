"""How a commit's events are cut into archive parts: values in, values out."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from millrace.archive_layout import ArchiveLayout
from millrace.enriched import EnrichedEvent
from millrace.times import format_ms
from millrace.windows import WindowWidth, hour_label, window_of

CLIENTS_LISTED = 100  # a manifest row with more clients lists none, and so stays small
_HASH_SPACE = 2**64


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the enriched object and what the archive needs to know of it."""

    line: bytes
    event_time: datetime
    client_id: str
    hash64: int

    @classmethod
    def of(cls, line: bytes) -> "Row":
        """Return the row in a line that enrich wrote."""
        event = EnrichedEvent.from_line(line)
        return cls(line, event.event_time, event.client_id, event.hash64)

    @property
    def size_bytes(self) -> int:
        """The row's share of a part, its line end included."""
        return len(self.line) + 1


@dataclass(frozen=True, slots=True)
class Part:
    """One archive object: some events of one UTC hour, in the enriched object's order."""

    number: int
    """Counts over the whole commit, from 0."""
    hour: datetime
    rows: tuple[Row, ...]

    @property
    def first_event_time(self) -> datetime:
        """The earliest event's time."""
        return min(row.event_time for row in self.rows)

    @property
    def last_event_time(self) -> datetime:
        """The latest event's time."""
        return max(row.event_time for row in self.rows)

    @property
    def input_hash(self) -> str:
        """The order-free sum of the events' hashes, 16 hex digits."""
        return f"{sum(row.hash64 for row in self.rows) % _HASH_SPACE:016x}"

    @property
    def clients(self) -> Mapping[str, int] | None:
        """Events by client, or None for more than `CLIENTS_LISTED` clients."""
        counted = Counter(row.client_id for row in self.rows)
        return dict(counted) if len(counted) <= CLIENTS_LISTED else None

    def labels(self) -> Mapping[str, str]:
        """Return count, time range and hash in the characters that S3 tags allow.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
        """
        return {
            "events": str(len(self.rows)),
            "first-event-time": format_ms(self.first_event_time),
            "last-event-time": format_ms(self.last_event_time),
            "input-hash": self.input_hash,
        }


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """What the manifests table says of one archive object."""

    hour: str
    object_key: str
    commit_id: str
    events: int
    size_bytes: int
    """Of the object, compressed."""
    first_event_time: datetime
    last_event_time: datetime
    input_hash: str
    clients: Mapping[str, int] | None
    written_at: datetime


def parts_of(lines: Iterable[bytes], layout: ArchiveLayout) -> list[Part]:
    """Return the parts of an enriched object: hours ascending, order kept within an hour.

    Numbers depend on `lines` and `layout` alone, so every attempt gives a part the same number.
    """
    by_hour: dict[datetime, list[Row]] = {}
    for row in map(Row.of, lines):
        hour = window_of(row.event_time, WindowWidth.HOUR).start
        by_hour.setdefault(hour, []).append(row)
    pieces = [(hour, piece) for hour in sorted(by_hour) for piece in _cut(by_hour[hour], layout)]
    return [Part(number, hour, piece) for number, (hour, piece) in enumerate(pieces)]


def _cut(rows: Sequence[Row], layout: ArchiveLayout) -> Iterator[tuple[Row, ...]]:
    piece: list[Row] = []
    size = 0
    for row in rows:
        if piece and (len(piece) == layout.max_events or size + row.size_bytes > layout.max_bytes):
            yield tuple(piece)
            piece, size = [], 0
        piece.append(row)
        size += row.size_bytes
    if piece:
        yield tuple(piece)


def manifest_row(
    part: Part, object_key: str, commit_id: str, size_bytes: int, written_at: datetime
) -> ManifestRow:
    """Return the manifest row of `part`, stored under `object_key`."""
    return ManifestRow(
        hour=hour_label(part.hour),
        object_key=object_key,
        commit_id=commit_id,
        events=len(part.rows),
        size_bytes=size_bytes,
        first_event_time=part.first_event_time,
        last_event_time=part.last_event_time,
        input_hash=part.input_hash,
        clients=part.clients,
        written_at=written_at,
    )
