"""Giving a batch up for good: what no commit holds of it can then be sent again.

An event of such a range may have passed the gate before it failed. As long as the gate names that
place as its owner, every resend would be a duplicate of something that was never stored.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from millrace.commit import Owner, SeqRange
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace.discarded.ports import Abandonments, DiscardedBatches
from millrace.errors import MillraceError, RetryableError
from millrace.ports import Checkpoints

_ATTEMPTS = 20
"""A busy shard moves its checkpoint several times a second; each attempt takes about 20 ms."""
MOST_HOLES = 90
"""A transaction of DynamoDB has 100 items."""


class NothingToAbandon(MillraceError):
    """Every record of the batch is in a commit, or it was closed before."""


@dataclass(frozen=True, slots=True)
class AbandonedRanges:
    """The ranges that are gone for good, of all shards."""

    ranges: Sequence[tuple[str, SeqRange]]

    def hold(self, owner: Owner) -> bool:
        """Tell whether an owner lies in one: only then may it be replaced."""
        return any(
            shard == owner.shard and within.first <= owner.seq <= within.last
            for shard, within in self.ranges
        )

    def of(self, shard: str) -> list[SeqRange]:
        """Return those of one shard, in order."""
        return sorted(within for each, within in self.ranges if each == shard)


def holes_in(within: SeqRange, covered: Iterable[SeqRange]) -> list[SeqRange]:
    """Return what of `within` no range of `covered` holds, in order."""
    holes, first = [], within.first
    for each in sorted(covered):
        if each.first > within.last:
            break
        if each.first > first:
            holes.append(SeqRange(first, each.first - 1))
        first = max(first, each.last + 1)
    if first <= within.last:
        holes.append(SeqRange(first, within.last))
    return holes


@dataclass(frozen=True, slots=True)
class Abandoning:
    """The use case, over its ports."""

    checkpoints: Checkpoints
    discards: DiscardedBatches
    abandonments: Abandonments

    def holes(self, batch: DiscardedBatch) -> list[SeqRange]:
        """Return the ranges that abandoning `batch` now would give up."""
        gone = AbandonedRanges(self.abandonments.abandoned()).of(str(batch.shard))
        covered = self.checkpoints.covered(batch.shard, batch.range)
        return holes_in(batch.range, [*covered, *gone])

    def abandon(self, batch: DiscardedBatch, closing: Closing) -> list[SeqRange]:
        """Give up what no commit holds of `batch`; return these ranges.

        Raises:
            NothingToAbandon: there is nothing left of it, or somebody closed it first.
            RetryableError: the shard is too busy; nothing was written.
        """
        for _ in range(_ATTEMPTS):
            # In this order: a commit after the checkpoint was read moves its version.
            before = self.checkpoints.read(batch.shard)
            holes = self.holes(batch)
            if not holes:
                raise NothingToAbandon(
                    f"every record of {batch.batch_id} is in a commit: repair it, which closes it"
                )
            if len(holes) > MOST_HOLES:
                raise NothingToAbandon(
                    f"{batch.batch_id} has {len(holes)} gaps, more than one transaction takes: "
                    "repair what can be had first"
                )
            if self.discards.abandon(batch, holes, before, closing):
                return holes
            there = self.discards.find(batch.shard, batch.range)
            if there is None or there.state is not State.OPEN:
                raise NothingToAbandon(f"{batch.batch_id} is not open any more")
        raise RetryableError(f"the shard {batch.shard} is too busy: try again")
