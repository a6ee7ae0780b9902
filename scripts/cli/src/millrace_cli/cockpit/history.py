"""The commits that the cockpit counts: those of a window, and every unfinished one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
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
from millrace_cli.pipeline import ShardHistory, history_of

LATELY = timedelta(hours=1)
MOST_UNFINISHED = 10_000
"""Unfinished commits that are read: 100 batches of 100."""


@dataclass
class WindowHistory:
    """`millrace_cli.pipeline.History` of what arrived in a window, and of what is unfinished.

    What arrived lately is read first: if the budget runs out, it is what came before that lacks.
    """

    ledger: DynamoLedger
    commits: CommitPages
    budget: Budget
    since: datetime
    now: datetime
    of_window: bool = True
    recent: TrafficPart = field(init=False)
    usual: TrafficPart = field(init=False)
    unfinished: list[CommitHead] = field(init=False, default_factory=list)
    unfinished_complete: bool = field(init=False, default=True)

    def read(self, shards: Sequence[ShardKey]) -> Mapping[ShardKey, ShardHistory]:
        """Return the histories of these shards and of all others that have commits here."""
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
        of_window = _by_shard(heads.values())
        old = [each for each in self._indexed() if (each.shard, each.first_seq) not in heads]
        self.unfinished = [head for head in (*heads.values(), *old) if not head.finished]
        unfinished = _by_shard(old)
        keys = dict.fromkeys((*shards, *of_window, *unfinished))
        return {key: _joined(of_window.get(key, []), unfinished.get(key, [])) for key in keys}

    def _indexed(self) -> list[CommitHead]:
        """Return the commits that the index has as unfinished and that are; consistent."""
        keys = list(islice(self.ledger.unfinished_keys(), MOST_UNFINISHED + 1))
        self.unfinished_complete = len(keys) <= MOST_UNFINISHED
        places = (
            (ShardKey.parse(from_attributes({"shard": key["shard"]})["shard"]), first_seq_of(key))
            for key in keys[:MOST_UNFINISHED]
        )
        return [head for head in self.ledger.heads_at(places) if not head.finished]


def _by_shard(heads: Iterable[CommitHead]) -> dict[ShardKey, list[CommitHead]]:
    found: dict[ShardKey, list[CommitHead]] = defaultdict(list)
    for head in heads:
        found[head.shard].append(head)
    return found


def _joined(counted: list[CommitHead], older: list[CommitHead]) -> ShardHistory:
    """Return the counts of a window, with the unfinished commits from before it."""
    within = history_of(counted)
    return ShardHistory(within.counts, {**history_of(older).unfinished, **within.unfinished})
