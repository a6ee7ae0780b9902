"""An entity's day found among a million events, on the local engine."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from millrace.aws.index import DynamoIndexWriter, IndexReader
from millrace.commit import ShardKey
from millrace.index import BUCKETS, IndexEntry, pages_of
from millrace_bench.figure import Figure
from millrace_bench.timing import best_s
from millrace_local import engine as life_cycle

WHAT = "the events of one entity on a day of 1,000,000 events, out of the event index"

_EVENTS, _COMMIT, _ENTITIES = 1_000_000, 1_000, 20_000
_DAY = datetime(2025, 12, 28, tzinfo=UTC)
_SHARD = ShardKey("bench", "shardId-000000000000")
_TABLE = "bench-event-index"
_ENGINE = "bench-entity-day"
_ENTITY = "user_7"


class WrongDay(Exception):
    """The index has more or fewer events of the entity than were put into it."""


def run() -> list[Figure]:
    """Index a day on an engine of its own and read one entity's part of it; end the engine.

    Raises:
        WrongDay: the answer is not what was indexed.
    """
    started = life_cycle.start(_ENGINE, 0)
    try:
        dynamodb = started.client("dynamodb")
        dynamodb.create_table(
            TableName=_TABLE,
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK")
            ],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        writer = DynamoIndexWriter(dynamodb, _TABLE, BUCKETS)
        expected = 0
        buckets = writer.settled_buckets({_DAY.date()})
        for entries in _commits():
            writer.write(pages_of(entries, entries[0].arrival_time, buckets))
            expected += sum(entry.entity_id == _ENTITY for entry in entries)
        reader = IndexReader(dynamodb, _TABLE)
        found = _day_of(reader)
        cost = reader.cost
        seconds = best_s(lambda: _day_of(IndexReader(dynamodb, _TABLE)))
    finally:
        life_cycle.stop(_ENGINE)
    if found != expected:
        raise WrongDay(f"{found} events of {_ENTITY}, {expected} were indexed")
    return [
        Figure("events indexed", _EVENTS, "events"),
        Figure("events of the entity", found, "events"),
        Figure("query pages", cost.queries, "pages", target="at most 64 of at most 1 MB"),
        Figure("read units", cost.units, "units"),
        Figure("its day", seconds, "s", target="under 1 s"),
    ]


def _day_of(reader: IndexReader) -> int:
    return sum(1 for _ in reader.all_events_of(_ENTITY, _DAY, _DAY + timedelta(days=1)))


def _commits() -> Iterator[list[IndexEntry]]:
    """Yield the day in commits, in order of time."""
    random = Random(20_251_228)  # noqa: S311 - a reproducible sample, not a secret
    step = timedelta(days=1) / _EVENTS
    for first in range(0, _EVENTS, _COMMIT):
        yield [
            IndexEntry(
                event_id=f"{random.getrandbits(128):032x}",
                entity_id=f"user_{random.randrange(_ENTITIES)}",
                event_time=_DAY + number * step,
                event_type=random.choice(("view", "click", "purchase")),
                source=random.choice(("web", "mobile")),
                arrival_time=_DAY + number * step + timedelta(seconds=random.randrange(90)),
                shard=_SHARD,
                first_seq=first,
                line=number - first,
            )
            for number in range(first, first + _COMMIT)
        ]
