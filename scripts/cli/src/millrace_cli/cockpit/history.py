"""The commits that the cockpit counts, by shard."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from millrace.aws.recent_commits import RecentCommits
from millrace.commit import CommitHead, ShardKey
from millrace_cli.pipeline import ShardHistory, history_of


@dataclass(frozen=True, slots=True)
class WindowHistory:
    """`millrace_cli.pipeline.History` of what arrived in a window, and of what is unfinished."""

    seen: RecentCommits
    of_window: bool = True

    def read(self, shards: Sequence[ShardKey]) -> Mapping[ShardKey, ShardHistory]:
        """Return the histories of these shards and of all others that have commits here."""
        within, before = map(_by_shard, self.seen.read())
        keys = dict.fromkeys((*shards, *within, *before))
        return {key: _joined(within.get(key, []), before.get(key, [])) for key in keys}


def _by_shard(heads: Iterable[CommitHead]) -> dict[ShardKey, list[CommitHead]]:
    found: dict[ShardKey, list[CommitHead]] = defaultdict(list)
    for head in heads:
        found[head.shard].append(head)
    return found


def _joined(counted: list[CommitHead], older: list[CommitHead]) -> ShardHistory:
    """Return the counts of a window, with the unfinished commits from before it."""
    within = history_of(counted)
    return ShardHistory(within.counts, {**history_of(older).unfinished, **within.unfinished})
