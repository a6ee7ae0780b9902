"""The adapters and the fakes keep the same promises."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from aggregate.adapters.counters import DynamoCounters
from aggregate.adapters.markers import DynamoMarkers
from aggregate.adapters.waiting import ATTEMPTS
from aggregate.domain.deltas import Delta, Marker
from aggregate.domain.packing import MOST_COUNTERS, Counter
from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.ledger import DynamoLedger
from millrace.commit import Checkpoint, Stage
from millrace.errors import CommitMissing, ConfigError, RetryableError
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL, SHARD, commit_of
from millrace_testing.fakes import FixedClock

WINDOW = window_of(ARRIVAL, WindowWidth.HOUR)
DELTA = Delta(3, 2, 2**64 - 1, ("event-1", "event-2"))


def key(entity="user#1/x", metric="m"):
    return AggregateKey(Scope.of(Dimension.ENTITY, entity), WINDOW, metric)


def markers_of(numbers, entity="user"):
    return [Marker(key(), f"{entity}#{n}") for n in numbers]


class MarkersContract:
    """Subclasses provide the fixture `markers`."""

    def test_the_first_owner_stays(self, markers):
        """A marker is inserted once; later callers, the owner too, learn that it was there."""
        assert markers.insert_new(markers_of([1, 2]), "a") == set(markers_of([1, 2]))
        assert markers.insert_new(markers_of([2, 3]), "b") == set(markers_of([3]))
        assert markers.insert_new(markers_of([1]), "a") == set()
        one, two, three = markers_of([1, 2, 3])
        assert markers.owners([one, two, three]) == {one: "a", two: "a", three: "b"}

    def test_unknown_markers_have_no_owner(self, markers):
        """What nobody inserted is left out of the answer."""
        assert markers.owners(markers_of([1])) == {}

    def test_many_are_handled_at_once(self, markers):
        """More than one call takes, in both directions."""
        many = markers_of(range(230))
        assert markers.insert_new(many, "a") == set(many)
        assert markers.owners(many) == dict.fromkeys(many, "a")

    def test_rows_and_entities_are_kept_apart(self, markers):
        """The same entity in another row, and ids of any length or script, are other markers."""
        long = "\N{PILE OF POO}" * 256
        some = [
            Marker(key(metric="m"), "u"),
            Marker(key(metric="n"), "u"),
            Marker(key("e"), "u"),
            Marker(key(long), long),
            Marker(key(long), f"{long[:-1]}x"),
        ]
        assert markers.insert_new(some, "a") == set(some)
        assert set(markers.owners(some)) == set(some)


class TestFakeMarkers(MarkersContract):
    """The fake."""

    @pytest.fixture
    def markers(self, fake_markers):
        return fake_markers


class TestDynamoMarkers(MarkersContract):
    """The adapter, on moto."""

    @pytest.fixture
    def markers(self, moto_db):
        return dynamo_markers(moto_db)

    def test_the_stored_item(self, markers, moto_db):
        """Keys as the design says, an owner, and a time to expire in epoch seconds."""
        markers.insert_new(markers_of([1]), "commit-1")
        assert moto_db.client.scan(TableName="markers-1")["Items"] == [
            {
                "PK": {"S": "UNIQUE#ENTITY#user%231%2Fx#HOUR#2025-12-28T09#VER#live#m"},
                "SK": {"S": "user%231"},
                "owner": {"S": "commit-1"},
                "expires_at": {"N": str(int((ARRIVAL + timedelta(days=90)).timestamp()))},
            }
        ]

    def test_calls_are_full(self, markers, moto_db):
        """230 markers are read by 3 calls and inserted by 10."""
        many = markers_of(range(230))
        markers.owners(many)
        assert moto_db.calls.count("BatchGetItem") == 3
        markers.insert_new(many, "a")
        assert moto_db.calls.count("BatchExecuteStatement") == 10

    def test_throttled_statements_are_sent_again(self, markers, moto_db):
        """Only those that were not done; throttled markers are not taken for others'."""
        throttled = {"Error": {"Code": "ThrottlingError"}}
        moto_db.faults.append(statement_fault([throttled, {"TableName": "markers-1"}]))
        assert markers.insert_new(markers_of([1, 2]), "a") == set(markers_of([1, 2]))
        assert set(markers.owners(markers_of([1, 2]))) == set(markers_of([1]))  # 2: in the fault

    def test_statements_throttled_for_good_are_retryable(self, markers, moto_db):
        """Attempts are bounded; then the message goes back to its queue."""
        moto_db.faults += [statement_fault([{"Error": {"Code": "ThrottlingError"}}])] * ATTEMPTS
        with pytest.raises(RetryableError, match="throttled"):
            markers.insert_new(markers_of([1]), "a")

    def test_a_refused_statement_is_an_error_of_the_deployment(self, markers, moto_db):
        """A missing right is not retried."""
        moto_db.faults.append(statement_fault([{"Error": {"Code": "AccessDenied"}}]))
        with pytest.raises(ConfigError, match="INSERT"):
            markers.insert_new(markers_of([1]), "a")

    def test_unprocessed_keys_are_asked_again(self, markers, moto_db):
        """An answer that is short is completed."""
        markers.insert_new(markers_of([1]), "a")
        item_key = {
            "PK": {"S": "UNIQUE#ENTITY#user%231%2Fx#HOUR#2025-12-28T09#VER#live#m"},
            "SK": {"S": "user%231"},
        }
        moto_db.faults.append(
            {
                "operation": "BatchGetItem",
                "answer": {
                    "Responses": {},
                    "UnprocessedKeys": {"markers-1": {"Keys": [item_key], "ConsistentRead": True}},
                },
            }
        )
        assert markers.owners(markers_of([1])) == dict.fromkeys(markers_of([1]), "a")


def dynamo_markers(moto_db):
    return DynamoMarkers(
        moto_db.client,
        "markers-1",
        FixedClock(ARRIVAL),
        timedelta(days=90),
        sleep=lambda _: None,
    )


def statement_fault(responses):
    return {"operation": "BatchExecuteStatement", "answer": {"Responses": responses}}


class CountersContract:
    """Subclasses provide `counters`, `read` (a row by its key) and `ledger` (with commit 100)."""

    def test_a_counter_begins_with_its_first_delta(self, counters, read):
        """A new row has value, count, hash, samples and the definitions of what was added."""
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        row = read(key())
        assert row.key == key()
        assert (row.value, row.event_count, row.input_hash) == (3, 2, 2**64 - 1)
        assert row.sample_event_ids == ("event-1", "event-2")
        assert (row.defs_version, row.updated_at) == ("d" * 16, ARRIVAL)

    def test_deltas_add_up(self, counters, read):
        """Sums stay exact beyond what 64 bits or a float hold; the first samples stay."""
        large = Delta(Decimal("123456789012345678.123456789"), 1, 2**64 - 1, ("other",))
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), large)], "d" * 16)
        small = Delta(Decimal("0.000000111"), 4, 2**64 - 1, ("event-9",))
        assert counters.add_once(SHARD, 100, 1, [Counter(key(), small)], "d" * 16)
        row = read(key())
        assert row.value == Decimal("123456789012345678.123456900")
        assert (row.event_count, row.input_hash) == (5, 2**65 - 2)
        assert row.sample_event_ids == ("other",)

    def test_a_part_is_added_once(self, counters, read):
        """The second time nothing is added and the caller learns it."""
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert not counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()).value == 3

    def test_parts_and_commits_are_apart(self, counters, read):
        """Another part, or the same part of another commit, is added for itself."""
        for seq, part in [(100, 0), (100, 1), (200, 0)]:
            assert counters.add_once(SHARD, seq, part, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()).value == 9

    def test_a_full_part_fits(self, counters, read):
        """The most counters, with the longest ids there are, are one transaction."""
        delta = replace(DELTA, sample_event_ids=("\N{PILE OF POO}" * 128,) * 5)
        full = [
            Counter(key("\N{PILE OF POO}" * 250 + str(n), "m" * 64), delta)
            for n in range(MOST_COUNTERS)
        ]
        assert counters.add_once(SHARD, 100, 0, full, "d" * 16)
        assert [read(counter.key).value for counter in full] == [3] * MOST_COUNTERS

    def test_two_definitions_are_mixed(self, counters, read):
        """A row to which two versions contributed names neither."""
        counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        counters.add_once(SHARD, 100, 1, [Counter(key(), DELTA)], "e" * 16)
        assert read(key()).defs_version == "mixed"

    def test_a_part_needs_its_commit(self, counters, read):
        """Nothing is added for a commit that the ledger does not hold."""
        with pytest.raises(CommitMissing):
            counters.add_once(SHARD, 404, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()) is None

    def test_part_marks_leave_the_commit_readable(self, counters, ledger):
        """The ledger still reads and finishes a commit that carries marks of parts."""
        counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
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
        return DynamoCounters(
            moto_db.client,
            "commits-1",
            "aggregates-1",
            FixedClock(ARRIVAL),
            sleep=lambda _: None,
        )

    @pytest.fixture
    def read(self, moto_db):
        reader = AggregatesReader(moto_db.client, "aggregates-1")

        def one(wanted):
            rows = reader.query(wanted.scope, wanted.window.width, metric=wanted.metric)
            return next((row for row in rows if row.key == wanted), None)

        return one

    def test_the_stored_item(self, counters, moto_db):
        """Keys and attributes as the design says."""
        counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
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

    def test_contention_is_waited_out(self, counters, read, moto_db):
        """A row held by another transaction, or a throttled one, is tried again."""
        moto_db.faults += [
            cancelled("None", code) for code in ("TransactionConflict", "ThrottlingError")
        ]
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()).value == 3

    def test_contention_for_good_is_retryable(self, counters, read, moto_db):
        """Attempts are bounded; then the message goes back to its queue and nothing is added."""
        moto_db.faults += [cancelled("None", "TransactionConflict")] * ATTEMPTS
        with pytest.raises(RetryableError, match="TransactionConflict"):
            counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()) is None

    def test_a_conflict_on_the_mark_is_not_taken_for_a_mark(self, counters, read, moto_db):
        """Another stage marking the same commit just now does not lose the part."""
        moto_db.faults.append(cancelled("TransactionConflict", "None"))
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()).value == 3

    def test_a_lost_answer_is_met_by_the_mark(self, counters, read, moto_db):
        """Written, but the answer never came: the next attempt sees the mark and adds nothing."""
        assert counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        moto_db.faults.append(cancelled("TransactionConflict", "None"))
        assert not counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)
        assert read(key()).value == 3

    def test_a_row_that_cannot_be_written_is_an_error_of_the_deployment(self, counters, moto_db):
        """A validation error will not pass by itself."""
        moto_db.faults.append(cancelled("None", "ValidationError"))
        with pytest.raises(ConfigError):
            counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)

    def test_a_refusal_without_a_mark_is_not_success(self, counters, moto_db):
        """An engine that says the condition failed, though it holds, must not lose a part."""
        moto_db.faults.append(cancelled("ConditionalCheckFailed", "None"))
        with pytest.raises(RetryableError, match="agg_0"):
            counters.add_once(SHARD, 100, 0, [Counter(key(), DELTA)], "d" * 16)


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
