"""Stories of promoting a replay beside live counting, for the crash harness."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from aggregate_stories import BASE, Clients, Theatre, World, service_on

from millrace.aggregates import LIVE, Dimension, Scope
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.promotions import DynamoPromotions
from millrace.definitions import parse
from millrace.replay.coverage import Coverage
from millrace.replay.difference import compared, paired
from millrace.replay.promotion import Allowance, Choice, Operator, chosen
from millrace.replay.record import Replay
from millrace.replay.selection import Selection
from millrace.windows import WindowWidth
from millrace_testing.replays import replay_record

START, END = datetime(2025, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)
EVERYBODY = 7


class PromotionStory:
    """Ten events of seven users live; a replay of the first three; five events that come late.

    The late ones are of users that the replay counted, of users that it took out, and of both.
    """

    def __init__(self, stage: Theatre) -> None:
        self.stage = stage
        self.world = World(stage.clean)
        self.events = self.world.events(range(30))
        self.count(stage.clean, self.world.commit(self.events[:10], BASE))
        self.count(stage.clean, self.world.replayed(self.events[:3], BASE))
        self.late = self.world.commit(self.events[10:15], BASE)
        self.choices = self.compare(stage.clean)

    @property
    def replay(self) -> Replay:
        """Return the replay."""
        return replay_record(f"r{self.world.version}", version=self.world.version)

    def rows_on(self, clients: Clients) -> DynamoPromotions:
        """Return the adapter under test as a fresh process has it."""
        tables = clients.aggregates, clients.markers, clients.replays
        return DynamoPromotions(clients.dynamodb, *tables, sleep=lambda _: None)

    def count(self, clients: Clients, reference: Any) -> None:
        """Aggregate a reference as a fresh process does, again if that is what it asks for."""
        for _ in range(3):
            (outcome,) = service_on(clients, self.stage.parts).aggregate([reference])
            if not isinstance(outcome, Exception):
                return
        raise outcome

    def compare(self, clients: Clients) -> Sequence[Choice]:
        """Compare the replay with live, and choose, as a promotion does."""
        coverage = Coverage.of(Selection(START, END), parse(BASE, "base").metrics)
        reader = AggregatesReader(clients.dynamodb, clients.aggregates)
        scope = Scope.of(Dimension.TYPE, self.world.event_type)
        comparisons = [
            compared(pair, coverage)
            for width in WindowWidth
            for pair in paired(reader.query(scope, width, version=None), LIVE, self.world.version)
        ]
        records = self.rows_on(clients).promotions(self.replay.replay_id)
        promoted = {each.key for each in records if not each.undone}
        return list(chosen(comparisons, {"users"}, promoted, Allowance()))

    def promote(self, clients: Clients, choices: Sequence[Choice]) -> None:
        """Promote what was chosen."""
        by = Operator("ana", "to see", datetime.now(UTC).replace(microsecond=0))
        for each in choices:
            if not each.skipped_because:
                self.rows_on(clients).promote(self.replay, each, by)

    def undo(self, clients: Clients) -> None:
        """Give live back what was promoted."""
        rows, by = self.rows_on(clients), Operator("bo", "to see", datetime.now(UTC))
        for each in list(rows.promotions(self.replay.replay_id)):
            if each.undone is None:
                rows.restore(self.replay, each, by)

    def settle(self) -> Mapping[tuple[str, str], Any]:
        """Count an event of each user; return the rows before, once that counted each user once."""
        rows = self.world.rows()
        last = self.world.commit(self.events[20 : 20 + EVERYBODY], BASE)
        self.count(self.stage.clean, last)
        users = {key: row[0] for key, row in self.world.rows().items() if key[1] == "users"}
        days = {key: value for key, value in users.items() if len(key[0]) < len("HOUR#2025-12-28")}
        assert set(days.values()) == {EVERYBODY}, (rows, users)
        return rows


class Promoted(PromotionStory):
    """The promotion goes wrong; live counts the late events once it was made anew."""

    def attempt(self) -> None:
        self.promote(self.stage.attempt, self.compare(self.stage.attempt))

    def retry(self) -> None:
        self.promote(self.stage.retry, self.compare(self.stage.retry))

    def recover(self) -> None:
        self.promote(self.stage.clean, self.compare(self.stage.clean))
        self.count(self.stage.clean, self.late)

    def observe(self) -> object:
        return self.settle()


class Undone(PromotionStory):
    """Undoing goes wrong; live counts the late events once it was made anew."""

    def __init__(self, stage: Theatre) -> None:
        super().__init__(stage)
        self.promote(stage.clean, self.choices)

    def attempt(self) -> None:
        self.undo(self.stage.attempt)

    def retry(self) -> None:
        self.undo(self.stage.retry)

    def recover(self) -> None:
        self.undo(self.stage.clean)
        self.count(self.stage.clean, self.late)

    def observe(self) -> object:
        return self.settle()


class CountedMeanwhile(PromotionStory):
    """Live's counting goes wrong, and comes again once the promotion was made.

    Each row may be promoted, or refused because live was first: never something between.
    """

    def attempt(self) -> None:
        service_on(self.stage.attempt, self.stage.parts).aggregate([self.late])

    def retry(self) -> None:
        service_on(self.stage.retry, self.stage.parts).aggregate([self.late])

    def recover(self) -> None:
        self.promote(self.stage.clean, self.choices)
        self.count(self.stage.clean, self.late)

    def observe(self) -> object:
        rows = self.settle()
        wanted = self.either()
        return {key: row in wanted[key] for key, row in rows.items()}

    def either(self) -> Mapping[tuple[str, str], Sequence[Any]]:
        """Return what each row says if it was refused, and if it was promoted."""
        ends = [
            self.rows_of(self.events[:15]),
            self.rows_of([*self.events[:3], *self.events[10:15]]),
        ]
        return {key: [end.get(key) for end in ends] for key in ends[0]}

    def rows_of(self, events: Sequence[Any]) -> Mapping[tuple[str, str], Any]:
        """Return the rows of events that were counted in peace, under a version of their own."""
        world = World(self.stage.clean)
        world.event_type = self.world.event_type
        self.count(self.stage.clean, world.replayed(events, BASE))
        return world.rows(world.version)
