"""What became of recovered records once ingest had them: told from the commit rows."""

from collections import Counter
from collections.abc import Mapping, Set
from enum import StrEnum
from typing import Protocol

from millrace.commit import Checkpoint, Commit, CommitHead, ShardKey


class Fate(StrEnum):
    """What ingest made of one record."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    """Its event was there already: sent before, by whomever."""
    CONFLICT = "conflict"
    """Its id was there already, with another content: the earlier one counts."""
    QUARANTINED = "quarantined"
    """Rejected again: the deployment judges otherwise than this release does."""
    MISSING = "missing"
    """The shard is committed past it, and no commit holds it."""


class CommittedShards(Protocol):
    """The ledger as one who follows records sees it."""

    def read(self, shard: ShardKey) -> Checkpoint:
        """Return the shard's checkpoint, strongly consistent."""
        ...

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        ...

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit with its line table."""
        ...


Sent = Mapping[ShardKey, Set[int]]
"""Sequence numbers of records of one event each, by shard."""


def all_committed(ledger: CommittedShards, sent: Sent) -> bool:
    """Tell whether every shard is committed up to the last record that was sent."""
    return all(ledger.read(shard).committed_seq >= max(seqs) for shard, seqs in sent.items())


def fates(ledger: CommittedShards, sent: Sent) -> Counter[Fate]:
    """Return what became of the records, once all are committed."""
    found: Counter[Fate] = Counter()
    for shard, seqs in sent.items():
        found += _fates_on(ledger, shard, seqs)
    return found


def _fates_on(ledger: CommittedShards, shard: ShardKey, seqs: Set[int]) -> Counter[Fate]:
    found: Counter[Fate] = Counter()
    left = set(seqs)
    while left:
        first = min(left)
        head = ledger.covering(shard, first)
        inside = {seq for seq in left if head and seq <= head.last_seq} or {first}
        left -= inside
        if head is None:
            found[Fate.MISSING] += 1
            continue
        lines = _fates_in(ledger.load(shard, head.first_seq))
        found.update(lines.get(seq, Fate.QUARANTINED) for seq in inside)
    return found


def _fates_in(commit: Commit) -> Mapping[int, Fate]:
    fate_of: dict[int, Fate] = {}
    for line in commit.body.lines:
        repeated = Fate.CONFLICT if line.conflict else Fate.DUPLICATE
        fate_of[line.seq] = Fate.ACCEPTED if line.duplicate_of is None else repeated
    return fate_of
