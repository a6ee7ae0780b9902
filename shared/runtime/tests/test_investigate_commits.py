"""Lag, duplicates, late events and sources, as the commit rows tell them."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from millrace.commit import Checkpoint, Owner, ShardKey, SourceStats, Stage
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.lag import lag_report
from millrace.investigate.late import LateEvents
from millrace.investigate.sources import UNREADABLE, Sources
from millrace.investigate.walking import Period
from millrace.lag import histogram
from millrace.raw_lines import pack
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.fakes import FakeLedger, FakeObjects
from millrace_testing.investigation import FakeCommitPages, arrived, unbounded

PERIOD = Period(ARRIVAL - timedelta(hours=1), ARRIVAL + timedelta(hours=3))


class World:
    """A ledger and a bucket that commits are put into."""

    def __init__(self) -> None:
        self.ledger = FakeLedger()
        self.objects = FakeObjects()
        self.commits = FakeCommitPages(self.ledger)

    def put(self, lines, *, at=ARRIVAL, shard=SHARD, first_seq=100, table=None, stats=None):
        """Store a commit; `table` replaces entries of its lines."""
        commit, raw = commit_of(lines, shard=shard, first_seq=first_seq)
        commit = arrived(commit, at)
        entries = list(commit.body.lines)
        for number, fields in (table or {}).items():
            entries[number] = replace(entries[number], **fields)
        stats = tuple(stats or commit.body.stats)
        commit = replace(commit, body=replace(commit.body, lines=tuple(entries), stats=stats))
        before = self.ledger.read(shard)
        assert self.ledger.commit(before, Checkpoint(before.version + 1), commit)
        self.objects.put_new(str(commit.head.raw_key), raw)
        return commit


def stats(source="web", event_type="view", *, accepted=1, lags=(), **counts):
    fields = {"duplicates": 0, "conflicts": 0, "late": 0, "line_bytes": 1} | counts
    return SourceStats(
        source=source, event_type=event_type, accepted=accepted, lag=histogram(lags), **fields
    )


@pytest.fixture
def world() -> World:
    return World()


def test_lag_by_source_type_and_hour(world):
    """Histograms merge: the total is that of all events, each row that of its own."""
    first = [stats(lags=[100, 200]), stats("app", lags=[5_000])]
    world.put([event_bytes()], stats=first)
    later = [stats(lags=[100_000]), stats(event_type="edit", lags=[1])]
    world.put([event_bytes()], at=ARRIVAL + timedelta(hours=1), first_seq=200, stats=later)
    report = lag_report(world.commits, PERIOD, unbounded())
    rows = [(row.source, row.event_type, row.hour, row.lag.events) for row in report.rows]
    assert rows == [
        ("app", "view", "2025-12-28T09", 1),
        ("web", "edit", "2025-12-28T10", 1),
        ("web", "view", "2025-12-28T09", 2),
        ("web", "view", "2025-12-28T10", 1),
    ]
    total = report.total().as_json()
    assert total["events"] == 5
    assert total["max_ms"] == pytest.approx(100_000, rel=0.05)
    assert total["p50_ms"] == pytest.approx(200, rel=0.05)
    assert [key for key, _ in report.by("source")] == [("app",), ("web",)]
    only = lag_report(world.commits, PERIOD, unbounded(), source="web", event_type="edit")
    assert [row.event_type for row in only.rows] == ["edit"]
    assert orjson.loads(orjson.dumps(report.as_json()))["rows"][0]["histogram"]


def test_a_source_without_events_has_no_quantiles(world):
    """Nothing is said of nothing."""
    told = lag_report(world.commits, PERIOD, unbounded()).total().as_json()
    assert (told["events"], told["p99_ms"]) == (0, None)


def test_how_long_each_stage_took(world):
    """Commits weigh by their events; those that wait are counted beside."""
    commit = world.put([event_bytes(n) for n in range(3)])
    for stage, seconds in ((Stage.ENRICHED, 2), (Stage.AGGREGATED, 5)):
        at = format_ms(commit.head.committed_at + timedelta(seconds=seconds))
        world.ledger.mark(SHARD, commit.head.first_seq, stage, {"at": at})
    report = lag_report(world.commits, PERIOD, unbounded())
    steps = {row.step: row.as_json() for row in report.stages}
    assert steps["committed -> enriched"]["p50_ms"] == pytest.approx(2_000, rel=0.05)
    assert steps["enriched -> aggregated"]["max_ms"] == pytest.approx(3_000, rel=0.05)
    assert steps["enriched -> aggregated"]["events"] == 3
    assert steps["arrival -> archived"]["waiting_events"] == 3


@pytest.fixture
def repeated(world) -> World:
    """Of eight events two come again, one of them a minute later on another shard, changed."""
    other = ShardKey(SHARD.incarnation, "shardId-000000000001")
    lines = [event_bytes(n) for n in range(8)]
    again = Owner(str(SHARD), 102, 0)
    counted = [stats(accepted=8, duplicates=1)]
    world.put([*lines, lines[2]], table={8: {"duplicate_of": again}}, stats=counted)
    changed = event_bytes(3, entity_id="user_9")
    world.put(
        [changed],
        at=ARRIVAL + timedelta(minutes=1),
        shard=other,
        table={0: {"duplicate_of": Owner(str(SHARD), 103, 0), "conflict": True}},
        stats=[stats(accepted=0, duplicates=1, conflicts=1)],
    )
    return world


def test_repetitions_are_named(repeated):
    """Who, how often, how long after the first, and which of them changed."""
    duplicates = Duplicates(repeated.commits, repeated.ledger, repeated.objects)
    report = duplicates.report(PERIOD, unbounded())
    (rate,) = report.rates
    assert (rate.events, rate.duplicates, rate.conflicts) == (10, 2, 1)
    assert rate.share == pytest.approx(0.2)
    named = [(each.event.event_id, each.conflict, each.after_ms) for each in report.repetitions]
    assert named == [("event-3", True, 60_000), ("event-2", False, 0)]
    assert report.worst_entities == (("user_2", 1), ("user_9", 1))
    assert report.between.events == 2
    assert orjson.dumps(report.as_json())


def test_repetitions_of_another_source_are_left_out(repeated):
    """Of one source only, if asked."""
    duplicates = Duplicates(repeated.commits, repeated.ledger, repeated.objects)
    report = duplicates.report(PERIOD, unbounded(), source="app")
    assert (report.duplicates, report.repetitions) == (0, ())


def test_the_first_arrival_may_lie_before_the_period(repeated):
    """Then its commit is read for it."""
    duplicates = Duplicates(repeated.commits, repeated.ledger, repeated.objects)
    later = Period(ARRIVAL + timedelta(seconds=1), PERIOD.end)
    (repetition,) = duplicates.report(later, unbounded()).repetitions
    assert repetition.after_ms == 60_000


def test_repetitions_without_bytes_are_counted(repeated):
    """A raw object that expired takes the names away, not the numbers."""
    repeated.objects.bodies.clear()
    duplicates = Duplicates(repeated.commits, repeated.ledger, repeated.objects)
    report = duplicates.report(PERIOD, unbounded())
    assert (report.duplicates, report.unreadable, report.repetitions) == (2, 2, ())


def at(hours: float) -> str:
    return format_ms(ARRIVAL - timedelta(hours=hours))


@pytest.fixture
def belated(world) -> World:
    """Three late events: two 3 h behind in one hour, one of them a repetition, one 30 h behind."""
    late = [event_bytes(n, event_time=at(hours)) for n, hours in ((1, 3), (1, 3), (2, 30))]
    hour_ms = 3_600_000
    world.put(
        [event_bytes(0, event_time=at(0)), *late],
        table={
            1: {"behind_ms": 3 * hour_ms},
            2: {"behind_ms": 3 * hour_ms, "duplicate_of": Owner(str(SHARD), 101, 0)},
            3: {"behind_ms": 30 * hour_ms},
        },
        stats=[stats(accepted=3, duplicates=1, late=3)],
    )
    return world


def test_late_events_and_the_windows_they_changed(belated):
    """The furthest behind first; a repetition changes no window; a day closes when it is over."""
    report = LateEvents(belated.commits, belated.objects).report(PERIOD, unbounded())
    assert [(each.event.event_id, each.duplicate) for each in report.events] == [
        ("event-2", False), ("event-1", False), ("event-1", True),
    ]  # fmt: skip
    changed = [(each.window.label, each.events) for each in report.windows]
    assert changed == [
        ("HOUR#2025-12-27T03", 1), ("HOUR#2025-12-28T06", 1), ("DAY#2025-12-27", 1),
    ]  # fmt: skip
    assert report.counts == (("web", "view", 4, 3),)
    assert (report.late, report.unreadable) == (3, 0)
    assert report.behind.as_json()["max_ms"] == pytest.approx(30 * 3_600_000, rel=0.05)
    assert orjson.dumps(report.as_json())


def test_late_events_of_older_commits_are_only_counted(world):
    """Commit rows once held the count alone."""
    world.put([event_bytes()], stats=[stats(late=1)])
    report = LateEvents(world.commits, world.objects).report(PERIOD, unbounded())
    assert (report.late, report.unreadable, report.events) == (1, 1, ())


def quarantine_line(data: bytes, reason: str = "missing_field") -> bytes:
    return orjson.dumps(
        {
            "reason": reason, "message": "m", "shard": str(SHARD), "sequence": "100",
            "position": 0, "arrival_time": format_ms(ARRIVAL),
            "bytes_base64": b64encode(data).decode(),
        }
    )  # fmt: skip


def test_sources_rank_by_what_is_wrong_with_them(world):
    """Rejected, repeated and late records of all; a source that only sends garbage is the worst."""
    commit = world.put(
        [event_bytes()],
        stats=[stats(accepted=8, duplicates=1, late=1, lags=[10] * 9), stats("app", accepted=5)],
    )
    rejects = [
        quarantine_line(b'{"source": "bad"}'),
        quarantine_line(b'{"source": "bad"}', "wrong_type"),
        quarantine_line(b'{"source": "bad"}'),
        quarantine_line(b"{", "not_json"),
    ]
    key = "quarantine/q"
    world.objects.put_new(key, pack(rejects).body)
    head = replace(commit.head, quarantine_key=key)
    world.ledger.commits[SHARD, 100] = replace(commit, head=head)
    now = ARRIVAL + timedelta(minutes=10)
    report = Sources(world.commits, world.objects).report(PERIOD, unbounded(), now)
    assert [row.source for row in report.rows] == [UNREADABLE, "bad", "web", "app"]
    rows = {row.source: row for row in report.rows}
    assert rows["bad"].reasons == (("missing_field", 2), ("wrong_type", 1))
    assert rows["web"].problem_share == pytest.approx(2 / 9)
    assert rows["web"].silent_s == 600
    assert rows["bad"].silent_s is None
    assert orjson.dumps(report.as_json())
    del world.objects.bodies[key]
    gone = Sources(world.commits, world.objects).report(PERIOD, unbounded(), now)
    assert gone.unreadable_objects == 1
    assert {row.source for row in gone.rows} == {"web", "app"}


def test_lines_of_several_members_are_read_at_once(world):
    """One read of the object reaches from the first wanted line to the last."""
    lines = [event_bytes(n, payload={"text": "x" * 5_000}) for n in range(40)]
    table = {n: {"behind_ms": 4_000_000} for n in (3, 17, 39)}
    world.put(lines, table=table, stats=[stats(accepted=40, late=3)])
    report = LateEvents(world.commits, world.objects).report(PERIOD, unbounded())
    assert sorted(each.event.event_id for each in report.events) == [
        "event-17",
        "event-3",
        "event-39",
    ]
