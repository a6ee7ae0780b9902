"""Live takes a replay's rows and gives them back: only where it is still what was compared."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from millrace.aggregates import LIVE, AggregateKey, Dimension, Scope, Version
from millrace.aws.aggregates import PROMOTED_VERSION, AggregatesReader, row_key, unique_key
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.promotions import DynamoPromotions
from millrace.definitions import parse
from millrace.replay.coverage import Coverage
from millrace.replay.difference import Verdict, compared, paired
from millrace.replay.promotion import (
    Allowance,
    Choice,
    Content,
    Operator,
    OutcomeKind,
    chosen,
    planned,
)
from millrace.replay.selection import Selection
from millrace.windows import WindowWidth, window_of
from millrace_testing.builders import ARRIVAL
from millrace_testing.metrics import metric
from millrace_testing.replays import REPLAY_ID, REPLAY_VERSION, replay_record
from millrace_testing.tables import AGGREGATES, MARKERS, REPLAYS, create_table

pytestmark = pytest.mark.aggregation

TOML = metric("n") + metric("users", "unique", of="entity") + metric("later", mode="replay")
HOUR = window_of(ARRIVAL, WindowWidth.HOUR)
VIEWS = Scope.of(Dimension.TYPE, "view")
COVERAGE = Coverage.of(Selection(HOUR.start, HOUR.end), parse(TOML, "m").metrics)
ANA = Operator("ana", "a mended definition", ARRIVAL)
BO = Operator("bo", "a mistake", ARRIVAL + timedelta(minutes=1))
REPLAY = replay_record()
DEFAULT = Allowance()


class Tables:
    """Rows and markers on moto, and what the promotion makes of them."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb")
        for name, schema in (("a", AGGREGATES), ("m", MARKERS), ("r", REPLAYS)):
            create_table(self.client, name, schema)
        self.rows = DynamoPromotions(self.client, "a", "m", "r", sleep=lambda _: None)

    def put(
        self, value: int, version: Version = LIVE, metric: str = "n", shard: int | None = None
    ) -> None:
        """Put a row of as many events as its value says."""
        key = AggregateKey(VIEWS, HOUR, metric, version)
        fields: dict[str, Any] = {
            "metric_name": metric, "window_start": "2025-12-28T09:00:00Z", "window_end": "e",
            "version": version, "value": value, "event_count": value, "input_hash": value * 7,
            "sample_event_ids": [f"event-{version}"], "defs_versions": {f"defs-{version}"},
            "updated_at": "2025-12-28T09:00:00.000Z",
        }  # fmt: skip
        self.client.put_item(TableName="a", Item=row_key(key, shard) | to_attributes(fields))

    def mark(self, metric: str, entities: str, version: Version) -> None:
        """Put the marker of each entity."""
        pk = unique_key(AggregateKey(VIEWS, HOUR, metric, version))
        for entity in entities:
            item = to_attributes({"PK": pk, "SK": entity, "owner": "o"})
            self.client.put_item(TableName="m", Item=item)

    def choices(self, allowance: Allowance = DEFAULT) -> list[Choice]:
        """Compare and choose, as a promotion does."""
        found = AggregatesReader(self.client, "a").query(VIEWS, WindowWidth.HOUR, version=None)
        comparisons = [compared(pair, COVERAGE) for pair in paired(found, LIVE, REPLAY_VERSION)]
        promoted = {each.key for each in self.rows.promotions(REPLAY_ID) if not each.undone}
        return list(chosen(comparisons, {"users"}, promoted, allowance))

    def promote(self, choices: list[Choice] | None = None) -> list[tuple[OutcomeKind, str]]:
        outcomes = [self.rows.promote(REPLAY, each, ANA) for each in choices or self.choices()]
        return [(each.kind, each.why) for each in outcomes]

    def undo(self) -> list[tuple[OutcomeKind, str]]:
        standing = [each for each in self.rows.promotions(REPLAY_ID) if not each.undone]
        outcomes = [self.rows.restore(REPLAY, each, BO) for each in standing]
        return [(each.kind, each.why) for each in outcomes]

    def live(self) -> dict[str, dict[str, Any]]:
        """Return live's items by what follows the version in their keys."""
        items = map(from_attributes, self.client.scan(TableName="a", ConsistentRead=True)["Items"])
        return {row["SK"].split("#", 4)[4]: row for row in items if "#VER#live#" in row["SK"]}

    def count(self, more: int, shard: int | None = None) -> None:
        """Add to live as aggregate does."""
        self.client.update_item(
            TableName="a",
            Key=row_key(AggregateKey(VIEWS, HOUR, "n"), shard),
            UpdateExpression="ADD #v :n, event_count :n, input_hash :n",
            ExpressionAttributeNames={"#v": "value"},
            ExpressionAttributeValues=to_attributes({":n": more}),
        )


@pytest.fixture
def tables(aws) -> Tables:
    return Tables()


def test_live_takes_the_row_and_gives_it_back(tables):
    """Value, inputs, samples and definitions; undone it is the item that it was; both recorded."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    before = tables.live()
    assert tables.promote() == [(OutcomeKind.DONE, "")]
    row = tables.live()["n"]
    assert (row["value"], row["event_count"], row["input_hash"]) == (3, 3, 21)
    assert row["sample_event_ids"] == [f"event-{REPLAY_VERSION}"]
    assert row["defs_versions"] == {f"defs-{REPLAY_VERSION}"}
    assert (row["version"], row[PROMOTED_VERSION]) == (LIVE, REPLAY_VERSION)
    (promotion,) = tables.rows.promotions(REPLAY_ID)
    assert (promotion.before, promotion.after) == (Content(5, 5, 35), Content(3, 3, 21))
    assert (promotion.key, promotion.by, promotion.undone) == (
        AggregateKey(VIEWS, HOUR, "n"), ANA, None,
    )  # fmt: skip
    assert tables.undo() == [(OutcomeKind.DONE, "")]
    assert tables.live() == before
    (promotion,) = tables.rows.promotions(REPLAY_ID)
    assert promotion.undone == BO


def test_the_same_promotion_twice_is_once(tables):
    """By the same plan of rows, and by a new one, which finds the rows equal; so is undoing."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    choices = tables.choices()
    tables.promote(choices)
    assert tables.promote(choices) == [(OutcomeKind.SKIPPED, "promoted before")]
    assert [each.skipped_because for each in tables.choices()] == ["live says the same"]
    (standing,) = tables.rows.promotions(REPLAY_ID)
    for _ in range(2):
        assert tables.rows.restore(REPLAY, standing, BO).kind is OutcomeKind.DONE
    assert tables.live()["n"]["value"] == 5
    later = replace(ANA, at=BO.at + timedelta(minutes=1))
    assert tables.rows.promote(REPLAY, choices[0], later).kind is OutcomeKind.DONE
    assert [each.undone for each in tables.rows.promotions(REPLAY_ID)] == [BO, None]


def test_live_that_counted_since_is_refused(tables):
    """Before it is promoted and before it is undone; nothing is written, and the reason is told."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    choices = tables.choices()
    tables.count(1)
    ((kind, why),) = tables.promote(choices)
    assert kind is OutcomeKind.REFUSED
    assert "5 events then, 6 now" in why
    assert (tables.live()["n"]["value"], list(tables.rows.promotions(REPLAY_ID))) == (6, [])
    assert tables.promote() == [(OutcomeKind.DONE, "")]
    tables.count(2)
    ((kind, why),) = tables.undo()
    assert kind is OutcomeKind.REFUSED
    assert "3 events then, 5 now" in why
    assert tables.live()["n"]["value"] == 5
    (again,) = tables.choices()
    assert "live has counted 2 more events since" in again.skipped_because


class Meanwhile:
    """A client whose first transaction finds that live has counted just before it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self.done = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.tables.client, name)

    def transact_write_items(self, **request: Any) -> Any:
        if not self.done:
            self.done = True
            self.tables.count(1)
        return self.tables.client.transact_write_items(**request)


@pytest.mark.parametrize("undoing", [False, True])
def test_what_live_counts_between_reading_and_writing_is_kept(tables, undoing):
    """The transaction's own condition holds it."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    rows = DynamoPromotions(Meanwhile(tables), "a", "m", "r", sleep=lambda _: None)
    if undoing:
        tables.promote()
        (standing,) = tables.rows.promotions(REPLAY_ID)
        outcome = rows.restore(REPLAY, standing, BO)
    else:
        outcome = rows.promote(REPLAY, tables.choices()[0], ANA)
    assert outcome.kind is OutcomeKind.REFUSED
    assert tables.live()["n"]["value"] == (4 if undoing else 6)
    assert all(each.undone is None for each in tables.rows.promotions(REPLAY_ID))


def test_the_shards_of_a_hot_row_become_one(tables):
    """Their sum is what was compared; undone they are as they were."""
    tables.put(2)
    tables.put(3, shard=0)
    tables.put(4, shard=11)
    tables.put(8, REPLAY_VERSION, shard=1)
    tables.put(5, REPLAY_VERSION, shard=3)
    tables.put(1, metric="nn")
    before = tables.live()
    choice = next(each for each in tables.choices() if each.key.metric == "n")
    assert (choice.before, choice.after) == (Content(9, 9, 63), Content(13, 13, 91))
    assert tables.rows.promote(REPLAY, choice, ANA).kind is OutcomeKind.DONE
    assert {name: row["value"] for name, row in tables.live().items()} == {"n": 13, "nn": 1}
    assert tables.undo() == [(OutcomeKind.DONE, "")]
    assert tables.live() == before


def test_a_row_without_live_comes_and_goes(tables):
    """Where live had none, undoing leaves none; where the replay has none, live says nothing."""
    tables.put(3, REPLAY_VERSION)
    tables.put(4, metric="users")
    assert tables.promote() == [(OutcomeKind.DONE, "")] * 2
    assert {name: row["value"] for name, row in tables.live().items()} == {"n": 3, "users": 0}
    assert tables.live()["users"]["defs_versions"] == {REPLAY.defs_version}
    assert {each.comparison.verdict for each in tables.choices()} == {Verdict.SAME}
    assert tables.undo() == [(OutcomeKind.DONE, "")] * 2
    assert {name: row["value"] for name, row in tables.live().items()} == {"users": 4}


def test_a_row_of_entities_needs_its_markers(tables):
    """All of those that the replay counted; and a row in shards cannot move to others."""
    tables.put(5, metric="users")
    tables.put(3, REPLAY_VERSION, "users")
    tables.mark("users", "abcde", LIVE)
    tables.mark("users", "ab", REPLAY_VERSION)
    ((kind, why),) = tables.promote()
    assert kind is OutcomeKind.REFUSED
    assert "counted 3 entities, and 2 of their markers" in why
    tables.mark("users", "c", REPLAY_VERSION)
    tables.put(1, metric="users", shard=2)
    ((kind, why),) = tables.promote()
    assert kind is OutcomeKind.REFUSED
    assert "shards" in why
    tables.client.delete_item(TableName="a", Key=row_key(AggregateKey(VIEWS, HOUR, "users"), 2))
    assert tables.promote() == [(OutcomeKind.DONE, "")]


def test_another_promotion_is_undone_first(tables):
    """Two replays of one row come off in the reverse order."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    tables.promote()
    other = replay_record("r2", version=Version("1766914300"))
    choice = tables.choices()[0]
    tables.put(3, other.version)
    assert tables.rows.promote(other, choice, ANA).kind is OutcomeKind.DONE
    ((kind, why),) = tables.undo()
    assert kind is OutcomeKind.REFUSED
    assert "undo that promotion first" in why
    (second,) = tables.rows.promotions("r2")
    assert tables.rows.restore(other, second, BO).kind is OutcomeKind.DONE
    assert tables.undo() == [(OutcomeKind.DONE, "")]
    assert tables.live()["n"]["value"] == 5


def test_rows_are_chosen(tables):
    """Equal ones, partial ones and those that only replays compute are left alone unless asked."""
    tables.put(5)
    tables.put(5, REPLAY_VERSION)
    tables.put(2, REPLAY_VERSION, "later")
    why = {each.key.metric: each.skipped_because for each in tables.choices()}
    assert why["n"] == "live says the same"
    assert "--replay-only" in why["later"]
    taken = {
        each.key.metric: each.skipped_because
        for each in tables.choices(Allowance(replay_only=True))
    }
    assert taken["later"] == ""
    choice = replace(tables.choices()[0].comparison, verdict=Verdict.PARTIAL)
    (left,) = chosen([choice], set(), set(), Allowance())
    assert "--partial" in left.skipped_because
    (asked,) = chosen([choice], set(), set(), Allowance(partial=True))
    assert asked.skipped_because == ""
    (none,) = chosen([replace(choice, replayed=None)], set(), set(), Allowance(partial=True))
    assert "nothing" in none.skipped_because


def test_what_live_loses_is_told(tables):
    """How many events, and the ids that are known."""
    tables.put(5)
    tables.put(3, REPLAY_VERSION)
    (choice,) = tables.choices()
    named = Choice(choice.comparison.naming(["e1", "e2"]), unique=False)
    assert planned(named).why == "live loses 2 events: e1, e2"
