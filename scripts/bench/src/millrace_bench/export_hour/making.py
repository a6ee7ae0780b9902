"""A made-up hour: archive objects as archive writes them, and the rows that name them."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from export.domain.sources import ArchivedObject
from millrace.archive_layout import ArchiveLayout
from millrace.compression import compressed
from millrace.enriched import EnrichedEvent
from millrace.keys import archive_key

HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
ROWS = "rows.ndjson"
_LAYOUT = ArchiveLayout()
_SPREAD = 2_654_435_761  # Knuth's multiplier: neighbours get clients far apart

Keep = Callable[[ArchivedObject, bytes], None]


def event(number: int, clients: int) -> EnrichedEvent:
    """Return event `number` of the hour; about 500 bytes as a line."""
    return EnrichedEvent(
        event_id=f"event-{number:09}",
        event_type=("view", "click", "purchase")[number % 3],
        entity_id=f"user_{number * _SPREAD % 50_021}",
        event_time=HOUR + timedelta(milliseconds=number * 37 % 3_600_000),
        source="web",
        client_id=f"client-{number * _SPREAD % 2**32 % clients:04}",
        payload={
            "page": f"/shop/{number % 997}",
            "referrer": f"https://example.org/{number * 7919 % 10_007}",
            "price": number % 10_000 / 100,
            "session": f"{number * _SPREAD % 2**64:016x}",
        },
        schema_version=1,
        arrival_time=HOUR + timedelta(hours=1),
        defs_version="0123456789abcdef",
    )


def make_hour(events: int, clients: int, keep: Keep) -> None:
    """Give `keep` each object of an hour, cut as the archive is by default."""
    for part, first in enumerate(range(0, events, _LAYOUT.max_events)):
        numbers = range(first, min(first + _LAYOUT.max_events, events))
        rows = [event(number, clients) for number in numbers]
        body = compressed([row.to_line() for row in rows], _LAYOUT.compression, _LAYOUT.level)
        keep(
            ArchivedObject(
                key=archive_key(HOUR, f"commit-{part:06}", 0, _LAYOUT),
                events=len(rows),
                size_bytes=len(body),
                input_hash=sum(row.hash64 for row in rows) % 2**64,
                clients=dict(Counter(row.client_id for row in rows)),
            ),
            body,
        )


def make_folder(folder: Path, events: int, clients: int) -> None:
    """Make an hour as files below `folder`."""
    with (folder / ROWS).open("wb") as rows:

        def keep(row: ArchivedObject, body: bytes) -> None:
            target = folder / row.key
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(body)
            fields = asdict(row) | {"input_hash": f"{row.input_hash:016x}"}
            rows.write(orjson.dumps(fields) + b"\n")

        make_hour(events, clients, keep)


def rows_in(folder: Path) -> Iterator[ArchivedObject]:
    """Yield the rows of an hour that `make_folder` made."""
    with (folder / ROWS).open("rb") as lines:
        for line in lines:
            fields: Mapping[str, object] = orjson.loads(line)
            yield ArchivedObject(**{**fields, "input_hash": int(str(fields["input_hash"]), 16)})  # type: ignore[arg-type]
