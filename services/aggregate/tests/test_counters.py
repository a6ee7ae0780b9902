"""Counters and the marks of parts: the adapter and the fake keep the same promises."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from aggregate.adapters.counters import NOTHING_HOT, DynamoCounters
from aggregate.adapters.marks import PartMarks
from aggregate.adapters.waiting import ATTEMPTS, BUNDLE_ATTEMPTS
from aggregate.domain.hot import HotScopes
from aggregate.domain.packing import MOST_COUNTERS, Counter, Part
from aggregate.domain.units import CommitUnit, ReplayUnit
from millrace.aggregates import AggregateKey, Dimension, Scope, Version
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.ledger import DynamoLedger
from millrace.commit import Checkpoint, Stage
from millrace.counting.deltas import Delta
from millrace.errors import CommitMissing, ConfigError, RetryableError
from millrace.identity import gate_key
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, enriched_event
from millrace_testing.fakes import FixedClock

WINDOW = window_of(ARRIVAL, WindowWidth.HOUR)
DELTA = Delta(3, 2, 2**64 - 1, ("event-1", "event-2"))


def key(entity="user#1/x", metric="m"):
    return AggregateKey(Scope.of(Dimension.ENTITY, entity), WINDOW, metric)


def commit_unit(seq):
    return CommitUnit(f"commit-{seq}", SHARD, seq)


def replay_unit(number=1, version="1766914200"):
    return ReplayUnit.of(enriched_event(number), Version(version))


def part_of(unit, number, rows, defs_version="d" * 16):
    return Part(unit, number, tuple(Counter(*row) for row in rows), defs_version)


def add(counters, seq, number, rows, defs_version="d" * 16):
    """Add one part of a commit; tell whether this call did it."""
    part = part_of(commit_unit(seq), number, rows, defs_version)
    marked = counters.add_once([part])
    assert marked in (set(), {part.place})
    return not marked


class CountersContract:
    """Subclasses provide `counters`, `read` (a row by its key) and `ledger` (with commit 100)."""

    def test_a_counter_begins_with_its_first_delta(self, counters, read):
        """A new row has value, count, hash, samples and the definitions of what was added."""
        assert add(counters, 100, 0, [(key(), DELTA)])
        row = read(key())
        assert row.key == key()
        assert (row.value, row.event_count, row.input_hash) == (3, 2, 2**64 - 1)
        assert row.sample_event_ids == ("event-1", "event-2")
        assert (row.defs_version, row.updated_at) == ("d" * 16, ARRIVAL)

    def test_deltas_add_up(self, counters, read):
        """Sums stay exact beyond what 64 bits or a float hold; the first samples stay."""
        large = Delta(Decimal("123456789012345678.123456789"), 1, 2**64 - 1, ("other",))
        assert add(counters, 100, 0, [(key(), large)])
        small = Delta(Decimal("0.000000111"), 4, 2**64 - 1, ("event-9",))
        assert add(counters, 100, 1, [(key(), small)])
        row = read(key())
        assert row.value == Decimal("123456789012345678.123456900")
        assert (row.event_count, row.input_hash) == (5, 2**65 - 2)
        assert row.sample_event_ids == ("other",)

    def test_a_part_is_added_once(self, counters, read):
        """The second time nothing is added and the caller learns it."""
        assert add(counters, 100, 0, [(key(), DELTA)])
        assert not add(counters, 100, 0, [(key(), DELTA)])
        assert read(key()).value == 3

    def test_parts_and_commits_are_apart(self, counters, read):
        """Another part, or the same part of another commit, is added for itself."""
        for seq, part in [(100, 0), (100, 1), (200, 0)]:
            assert add(counters, seq, part, [(key(), DELTA)])
        assert read(key()).value == 9

    def test_a_full_part_fits(self, counters, read):
        """The most counters, with the longest ids there are, are one transaction."""
        delta = replace(DELTA, sample_event_ids=("\N{PILE OF POO}" * 128,) * 5)
        full = [
            (key("\N{PILE OF POO}" * 250 + str(n), "m" * 64), delta) for n in range(MOST_COUNTERS)
        ]
        assert add(counters, 100, 0, full)
        assert [read(each).value for each, _ in full] == [3] * MOST_COUNTERS

    def test_two_definitions_are_mixed(self, counters, read):
        """A row to which two versions contributed names neither."""
        add(counters, 100, 0, [(key(), DELTA)])
        add(counters, 100, 1, [(key(), DELTA)], "e" * 16)
        assert read(key()).defs_version == "mixed"

    def test_a_part_needs_its_commit(self, counters, read):
        """Nothing is added for a commit that the ledger does not hold."""
        with pytest.raises(CommitMissing):
            add(counters, 404, 0, [(key(), DELTA)])
        assert read(key()) is None

    def test_parts_together_add_up_in_one_transaction(self, counters, read):
        """A row that several parts touch is added to once; the first part gives the samples."""
        other = Delta(Decimal("0.5"), 1, 7, ("a", "b", "c", "d"))
        parts = [
            part_of(commit_unit(100), 0, [(key(), DELTA), (key("x"), DELTA)]),
            part_of(commit_unit(200), 3, [(key(), other), (key("y"), DELTA)], "e" * 16),
            part_of(replay_unit(), 0, [(key(), DELTA)]),
        ]
        assert counters.add_once(parts) == set()
        row = read(key())
        assert (row.value, row.event_count) == (Decimal("6.5"), 5)
        assert row.input_hash == 2 * (2**64 - 1) + 7
        assert row.sample_event_ids == ("event-1", "event-2", "a", "b", "c")
        assert row.defs_version == "mixed"
        assert (read(key("x")).value, read(key("y")).value) == (3, 3)

    def test_a_marked_part_holds_the_others_back_and_is_named(self, counters, read):
        """All or nothing: the caller tries again without it."""
        first, second = (part_of(commit_unit(seq), 0, [(key(), DELTA)]) for seq in (100, 200))
        counters.add_once([first])
        assert counters.add_once([second, first]) == {first.place}
        assert read(key()).value == 3
        assert counters.add_once([second]) == set()
        assert read(key()).value == 6

    def test_a_replayed_event_counts_once_under_its_version(self, counters, read):
        """Whatever part of it, again and again; another arrival or version is another event."""
        late = replace(enriched_event(1), arrival_time=ARRIVAL + timedelta(seconds=1))
        again = ReplayUnit.of(late, Version("1766914200"))
        units = [replay_unit(), replay_unit(version="1766914201"), replay_unit(2), again]
        for number in (0, 1):
            for unit in units * 2:
                counters.add_once([part_of(unit, number, [(key(), DELTA)])])
        assert read(key()).value == 3 * 2 * 4

    def test_the_first_definitions_count_a_replayed_event(self, counters, read):
        """An event that comes in two objects is counted by one of them, all parts of it."""
        counters.add_once([part_of(replay_unit(), 0, [(key(), DELTA)])])
        other = [part_of(replay_unit(), n, [(key(), DELTA)], "e" * 16) for n in (0, 1)]
        assert [counters.add_once([part]) for part in other] == [{each.place} for each in other]
        counters.add_once([part_of(replay_unit(), 1, [(key(), DELTA)])])
        assert read(key()).value == 6

    def test_part_marks_leave_the_commit_readable(self, counters, ledger):
        """The ledger still reads and finishes a commit that carries marks of parts."""
        add(counters, 100, 0, [(key(), DELTA)])
        for stage in Stage:
            ledger.mark(SHARD, 100, stage, {"at": "now"})
        assert ledger.head(SHARD, 100).finished


def with_commits(ledger):
    """Put the commits 100 and 200 into a ledger."""
    for version, seq in enumerate((100, 200)):
        commit, _ = commit_of([b"{}"], first_seq=seq)
        before = Checkpoint(version) if version == 0 else ledger.read(SHARD)
        assert ledger.commit(before, Checkpoint(version + 1, seq, ()), commit)
    return ledger


class TestFakeCounters(CountersContract):
    """The fake."""

    @pytest.fixture
    def ledger(self, world):
        return with_commits(world.ledger)

    @pytest.fixture
    def counters(self, world, ledger):
        return world.counters

    @pytest.fixture
    def read(self, world):
        return world.counters.read


class TestDynamoCounters(CountersContract):
    """The adapter, on moto, read back by the shared reader."""

    @pytest.fixture
    def ledger(self, moto_db):
        return with_commits(DynamoLedger(moto_db.client, "commits-1"))

    @pytest.fixture
    def counters(self, moto_db, ledger):
        return dynamo_counters(moto_db)

    @pytest.fixture
    def read(self, moto_db):
        reader = AggregatesReader(moto_db.client, "aggregates-1")

        def one(wanted):
            rows = reader.query(wanted.scope, wanted.window.width, metric=wanted.metric)
            return next((row for row in rows if row.key == wanted), None)

        return one

    def test_the_stored_item(self, counters, moto_db):
        """Keys and attributes as the design says."""
        add(counters, 100, 0, [(key(), DELTA)])
        assert moto_db.client.scan(TableName="aggregates-1")["Items"] == [
            {
                "PK": {"S": "ENTITY#user%231%2Fx"},
                "SK": {"S": "HOUR#2025-12-28T09#VER#live#m"},
                "metric_name": {"S": "m"},
                "value": {"N": "3"},
                "window_start": {"S": "2025-12-28T09:00:00Z"},
                "window_end": {"S": "2025-12-28T09:59:59Z"},
                "version": {"S": "live"},
                "event_count": {"N": "2"},
                "input_hash": {"N": str(2**64 - 1)},
                "sample_event_ids": {"L": [{"S": "event-1"}, {"S": "event-2"}]},
                "defs_versions": {"SS": ["d" * 16]},
                "updated_at": {"S": "2025-12-28T09:30:00.000Z"},
            }
        ]

    def test_the_stored_marker_of_a_replayed_event(self, counters, moto_db):
        """Version and event, arrival, the parts, the definitions, and 90 days to live."""
        counters.add_once([part_of(replay_unit(), 0, [(key(), DELTA)])])
        expires_at = int((ARRIVAL + timedelta(days=90)).timestamp())
        at_ms = str(int(ARRIVAL.timestamp() * 1000))
        assert moto_db.client.scan(TableName="markers-1")["Items"] == [
            {
                "PK": {"S": f"REPLAYED#1766914200#{gate_key('web', 'event-1').hex()}"},
                "SK": {"S": at_ms},
                "agg_0": {"N": at_ms},
                "defs_version": {"S": "d" * 16},
                "expires_at": {"N": str(expires_at)},
            }
        ]

    def test_rows_of_hot_scopes_are_spread_and_read_as_one(self, read, moto_db, ledger):
        """Each reference adds to the shard of its hash, and only where the scope is listed."""
        counters = dynamo_counters(moto_db, HotScopes(frozenset({key("hot").scope}), 4))
        for number in range(20):
            rows = [(key("hot"), DELTA), (key("cold"), DELTA)]
            counters.add_once([part_of(replay_unit(number), 0, rows)])
        items = moto_db.client.scan(TableName="aggregates-1")["Items"]
        sort_keys = sorted(each["SK"]["S"] for each in items if each["PK"]["S"] == "ENTITY#hot")
        assert sort_keys == [f"HOUR#2025-12-28T09#VER#live#m#{shard}" for shard in range(4)]
        assert len(items) == 5
        assert (read(key("hot")).value, read(key("cold")).value) == (60, 60)
        assert read(key("hot")).event_count == 40

    def test_a_bundle_gives_up_before_a_part_alone(self, counters, moto_db):
        """What is contended for long is left to each part by itself, in the time there is."""
        moto_db.faults += [cancelled("None", "TransactionConflict")] * BUNDLE_ATTEMPTS
        bundle = [part_of(commit_unit(seq), 0, [(key(), DELTA)]) for seq in (100, 200)]
        with pytest.raises(RetryableError, match="TransactionConflict"):
            counters.add_once(bundle)
        assert not moto_db.faults

    def test_contention_is_waited_out(self, counters, read, moto_db):
        """A row held by another transaction, or a throttled one, is tried again."""
        moto_db.faults += [
            cancelled("None", code) for code in ("TransactionConflict", "ThrottlingError")
        ]
        assert add(counters, 100, 0, [(key(), DELTA)])
        assert read(key()).value == 3

    def test_contention_for_good_is_retryable(self, counters, read, moto_db):
        """Attempts are bounded; then the message goes back to its queue and nothing is added."""
        moto_db.faults += [cancelled("None", "TransactionConflict")] * ATTEMPTS
        with pytest.raises(RetryableError, match="TransactionConflict"):
            add(counters, 100, 0, [(key(), DELTA)])
        assert read(key()) is None

    def test_a_conflict_on_the_mark_is_not_taken_for_a_mark(self, counters, read, moto_db):
        """Another stage marking the same commit just now does not lose the part."""
        moto_db.faults.append(cancelled("TransactionConflict", "None"))
        assert add(counters, 100, 0, [(key(), DELTA)])
        assert read(key()).value == 3

    def test_a_lost_answer_is_met_by_the_mark(self, counters, read, moto_db):
        """Written, but the answer never came: the next attempt sees the mark and adds nothing."""
        assert add(counters, 100, 0, [(key(), DELTA)])
        moto_db.faults.append(cancelled("TransactionConflict", "None"))
        assert not add(counters, 100, 0, [(key(), DELTA)])
        assert read(key()).value == 3

    def test_a_row_that_cannot_be_written_is_an_error_of_the_deployment(self, counters, moto_db):
        """A validation error will not pass by itself."""
        moto_db.faults.append(cancelled("None", "ValidationError"))
        with pytest.raises(ConfigError):
            add(counters, 100, 0, [(key(), DELTA)])

    def test_a_refusal_without_a_mark_is_not_success(self, counters, moto_db):
        """An engine that says the condition failed, though it holds, must not lose a part."""
        moto_db.faults.append(cancelled("ConditionalCheckFailed", "None"))
        with pytest.raises(RetryableError, match="agg_0"):
            add(counters, 100, 0, [(key(), DELTA)])


def dynamo_counters(moto_db, hot=NOTHING_HOT):
    clock = FixedClock(ARRIVAL)
    marks = PartMarks(moto_db.client, "commits-1", "markers-1", clock, timedelta(days=90))
    return DynamoCounters(
        moto_db.client, "aggregates-1", marks, clock, hot=hot, sleep=lambda _: None
    )


def cancelled(*codes):
    """Return a cancelled transaction.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    return {
        "operation": "TransactWriteItems",
        "answer": {
            "Error": {
                "Code": "TransactionCanceledException",
                "Message": f"Transaction cancelled [{', '.join(codes)}]",
            },
            "CancellationReasons": [{"Code": code} for code in codes],
            "ResponseMetadata": {"HTTPStatusCode": 400},
        },
    }
