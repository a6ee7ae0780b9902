"""The commits that the cockpit looks at: those of a window, and every unfinished one."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import first_seq_of, from_attributes
from millrace.commit import CommitHead, ShardKey
from millrace.investigate.cockpit.measuring import measure
from millrace.investigate.cockpit.readings import TrafficPart
from millrace.investigate.ports import CommitPages
from millrace.investigate.walking import Period
from millrace.read_cost import Budget

LATELY = timedelta(hours=1)
MOST_UNFINISHED = 10_000
"""Unfinished commits that are read: 100 batches of 100."""


@dataclass
class RecentCommits:
    """Reads them; may block, raise RetryableError or ConfigError.

    What arrived lately is read first: if the budget runs out, it is what came before that lacks.
    """

    ledger: DynamoLedger
    commits: CommitPages
    budget: Budget
    since: datetime
    now: datetime
    most_unfinished: int = MOST_UNFINISHED
    recent: TrafficPart = field(init=False)
    usual: TrafficPart = field(init=False)
    unfinished: list[CommitHead] = field(init=False, default_factory=list)
    unfinished_complete: bool = field(init=False, default=True)

    def read(self) -> tuple[Sequence[CommitHead], Sequence[CommitHead]]:
        """Return the commits of the window, and the unfinished ones from before it."""
        heads: dict[tuple[ShardKey, int], CommitHead] = {}

        def note(head: CommitHead) -> None:
            heads[head.shard, head.first_seq] = head

        # Records may arrive while this reads: what is lately has no end.
        lately = max(self.since, self.now - LATELY)
        self.recent = measure(
            self.commits, Period(lately, self.now + timedelta(days=1)), self.budget, note
        )
        self.usual = TrafficPart(self.since, lately)
        if self.since < lately:
            if self.budget.spent is None:
                self.usual = measure(self.commits, Period(self.since, lately), self.budget, note)
            else:
                self.usual = TrafficPart(self.since, lately, complete=False)
        old = [each for each in self._indexed() if (each.shard, each.first_seq) not in heads]
        self.unfinished = [head for head in (*heads.values(), *old) if not head.finished]
        return list(heads.values()), old

    @property
    def complete(self) -> bool:
        """Whether the budget sufficed for the whole window."""
        return self.recent.complete and self.usual.complete

    def _indexed(self) -> list[CommitHead]:
        """Return the commits that the index has as unfinished and that are; consistent."""
        keys = list(islice(self.ledger.unfinished_keys(), self.most_unfinished + 1))
        self.unfinished_complete = len(keys) <= self.most_unfinished
        places = (
            (ShardKey.parse(from_attributes({"shard": key["shard"]})["shard"]), first_seq_of(key))
            for key in keys[: self.most_unfinished]
        )
        return [head for head in self.ledger.heads_at(places) if not head.finished]
