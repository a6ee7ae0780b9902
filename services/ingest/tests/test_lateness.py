"""Late events, counted the same at every attempt."""

from datetime import timedelta

from ingest.domain.lateness import MAX_SOURCES
from millrace.times import format_ms, to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, event_bytes


def at(minutes_ago: int, number: int, source: str = "web") -> bytes:
    time = format_ms(ARRIVAL - timedelta(minutes=minutes_ago))
    return event_bytes(number, event_time=time, source=source)


def late_counts(world, first_seq: int) -> dict[str, int]:
    stats = world.ledger.load(SHARD, first_seq).body.stats
    return {each.source: each.late for each in stats}


def test_late_is_behind_the_own_source_by_more_than_allowed(world, stream):
    """One hour is allowed: an hour is not late, a minute more is, and sources do not mix."""
    world.deliver(stream([at(0, 1), at(60, 2), at(61, 3), at(300, 4, "app"), at(240, 5, "app")]))
    assert late_counts(world, 100) == {"web": 1, "app": 0}
    lines = world.ledger.load(SHARD, 100).body.lines
    assert [line.behind_ms for line in lines] == [0, 0, 61 * 60_000, 0, 0]


def test_the_highest_time_outlives_the_batch(world, stream):
    """A later batch is measured from what earlier ones reached."""
    world.deliver(stream([at(0, 1)]))
    world.deliver(stream([at(90, 2)], first_seq=101))
    assert late_counts(world, 101) == {"web": 1}
    assert world.ledger.read(SHARD).highest_ms == {"web": to_epoch_ms(ARRIVAL)}


def test_the_checkpoint_keeps_a_bounded_number_of_sources(world, stream):
    """Many sources do not blow up what every commit writes; the latest ones are kept."""
    world.deliver(stream([at(n, n, f"source-{n}") for n in range(1, MAX_SOURCES + 50)]))
    kept = world.ledger.read(SHARD).highest_ms
    assert len(kept) == MAX_SOURCES
    assert "source-1" in kept
    assert f"source-{MAX_SOURCES + 49}" not in kept
