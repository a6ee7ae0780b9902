"""Promoting a replay: live takes its rows, one by one, and gives them back if asked.

A row changes in one transaction, on the condition that live is what was compared, so nothing has
to be finished after a crash: whoever begins again finds what is done already (docs/adr/0016).
"""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from millrace.commit import CommitHead, ShardKey, Stage
from millrace.definitions import UniqueMetric
from millrace.errors import MillraceError
from millrace.raw_lines import unpack
from millrace.replay.diffing import Diffing
from millrace.replay.planned import PlannedEvent
from millrace.replay.progress import progress_of
from millrace.replay.promotion import (
    Allowance,
    Choice,
    Operator,
    Outcome,
    OutcomeKind,
    Promotion,
    chosen,
    planned,
)
from millrace.replay.record import Action, AuditEntry, Replay, ReplayState
from millrace.replay.selection import Selection

_NAMED = 3


class NotPromotable(MillraceError):
    """The replay as a whole cannot be promoted now; says why and what to do."""


class CommitHeads(Protocol):
    """The ledger, many commits at a time. May block, raise RetryableError or ConfigError."""

    def heads_at(self, places: Iterable[tuple[ShardKey, int]]) -> Iterator[CommitHead]:
        """Yield the commits that are there, strongly consistent, in no order."""
        ...


class LiveRows(Protocol):
    """Live's rows, as far as promotions touch them. May block, raise RetryableError."""

    def promote(self, replay: Replay, choice: Choice, by: Operator) -> Outcome:
        """Have live take the row if both are what was compared, and record it with both values.

        One transaction: all of it, or nothing and the outcome says why. A row that took this
        replay's value before is done.
        """
        ...

    def restore(self, replay: Replay, promotion: Promotion, by: Operator) -> Outcome:
        """Give live back what it said before, if it says what the promotion wrote."""
        ...

    def promotions(self, replay_id: str) -> Iterator[Promotion]:
        """Yield what was promoted, also what was restored, strongly consistent."""
        ...


@dataclass(frozen=True, slots=True)
class Promoting:
    """The use cases, over their ports."""

    diffing: Diffing
    commits: CommitHeads
    rows: LiveRows
    queue_url: str
    """The pipeline's own queue: only what it processed was counted here."""

    def choices(self, replay_id: str, allowance: Allowance) -> Sequence[Choice]:
        """Compare the replay with live; return each row and whether it is to be promoted.

        Raises:
            UnknownReplay: there is none.
            NotPromotable: it is not complete, or live has yet to count some of its events.
            ConfigError, RetryableError: a table or the bucket cannot be read.
        """
        replay = self.diffing.ledger.replay(replay_id)
        self._check_ended(replay, allowance)
        self._check_counted_live(replay)  # before live is read: what it adds later is not in it
        unique = {
            metric.name
            for metric in self.diffing.coverage(replay).metrics.values()
            if isinstance(metric, UniqueMetric)
        }
        promoted = {each.key for each in self.standing(replay_id)}
        return list(chosen(self.diffing.diff(replay_id), unique, promoted, allowance))

    def promote(self, replay_id: str, choices: Iterable[Choice], by: Operator) -> Iterator[Outcome]:
        """Promote the chosen rows; yield what became of every row as soon as it is known.

        Interrupted, it may be begun again. The replay's audit says how it ended.
        """
        replay = self.diffing.ledger.replay(replay_id)
        outcomes = (
            planned(each) if each.skipped_because else self.rows.promote(replay, each, by)
            for each in choices
        )
        yield from self._noted(replay, Action.PROMOTE, by, outcomes)

    def standing(self, replay_id: str) -> Sequence[Promotion]:
        """Return the promotions of a replay that were not undone."""
        return [each for each in self.rows.promotions(replay_id) if each.undone is None]

    def undo(
        self, replay_id: str, promotions: Iterable[Promotion], by: Operator
    ) -> Iterator[Outcome]:
        """Give live back what it said before, row by row; yield what became of each.

        Interrupted, it may be begun again. The replay's audit says how it ended.
        """
        replay = self.diffing.ledger.replay(replay_id)
        outcomes = (self.rows.restore(replay, each, by) for each in promotions)
        yield from self._noted(replay, Action.UNDO, by, outcomes)

    def _noted(
        self, replay: Replay, action: Action, by: Operator, outcomes: Iterable[Outcome]
    ) -> Iterator[Outcome]:
        ends = (OutcomeKind.DONE, OutcomeKind.SKIPPED, OutcomeKind.REFUSED)
        counts = dict.fromkeys(ends, 0)
        try:
            for outcome in outcomes:
                counts[outcome.kind] += 1
                yield outcome
        finally:
            result = ", ".join(f"{count} {kind.value}" for kind, count in counts.items())
            entry = AuditEntry(by.at, by.who, action, by.reason, f"rows: {result}")
            self.diffing.ledger.note(replay.replay_id, entry)

    def _check_ended(self, replay: Replay, allowance: Allowance) -> None:
        if replay.dry_run:
            raise NotPromotable("it was a dry run, which counts nothing; apply its plan")
        if replay.queue_url != self.queue_url:
            raise NotPromotable("its messages went to a queue of your own, and were not counted")
        if replay.state is not ReplayState.COMPLETED:
            raise NotPromotable(f"it is {replay.state.value}; promote it once it is completed")
        skipped = list(self.diffing.ledger.skipped(replay.replay_id))
        left_out = progress_of(self.diffing.ledger.objects(replay.replay_id), skipped).skipped
        if left_out and not allowance.skipped:
            raise NotPromotable(
                f"{left_out} of its events were skipped, and live would lose them; mend them and "
                "replay again, or promote it with --skipped"
            )

    def _check_counted_live(self, replay: Replay) -> None:
        """Refuse while an event of the plan is yet to be added to live: it would count twice."""
        plan = self.diffing.ledger.plan(replay.plan_id)
        missing = {
            PlannedEvent.from_line(line).key
            for chunk in plan.chunks
            for line in unpack(self.diffing.objects.get(chunk.key))
        }
        waiting: list[str] = []
        for head in self.commits.heads_at(self._places(plan.selection)):
            if head.raw_key in missing:
                missing.remove(head.raw_key)
                if Stage.AGGREGATED not in head.marks:
                    waiting.append(head.commit_id)
        if missing:
            raise NotPromotable(f"the index names no commit of {_some(missing)}; try again")
        if waiting:
            raise NotPromotable(
                f"live has not counted all events of the plan yet: {_some(waiting)}; wait, or "
                "redrive what is in the dead-letter queue of aggregate"
            )

    def _places(self, selection: Selection) -> AbstractSet[tuple[ShardKey, int]]:
        return {(each.shard, each.first_seq) for each in self.diffing.planner.selected(selection)}


def _some(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return ", ".join(found[:_NAMED]) + more
