"""What every reader of commits by arrival promises: `millrace.investigate.ports.CommitPages`."""

from datetime import timedelta

import pytest

from millrace.commit import Checkpoint, Commit, ShardKey
from millrace.investigate.ports import CommitPages
from millrace.ports import Checkpoints
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.investigation import arrived

SEQUENCE = 49581544954143914480256700934210366840104395343224897586  # 56 digits, of a real stream
UNEVEN_S = (0, 1, 2, 60, 61, 3_600, 3_601, 86_400, 86_400, 200_000)
"""Arrivals of the commits, after ARRIVAL: bursts, pauses, and two at once."""


class CommitPagesContract:
    """Subclasses provide `ledger`, `commits` over it, and SHARD as its only shard."""

    @pytest.fixture
    def stored(self, ledger: Checkpoints) -> list[Commit]:
        """Ten commits of two events, their numbers as uneven as their arrivals."""
        made, before = [], Checkpoint()
        for number, after_s in enumerate(UNEVEN_S):
            first_seq = SEQUENCE + after_s * 2**70 + number * 10
            commit, _ = commit_of([event_bytes(n) for n in range(2)], first_seq=first_seq)
            commit = arrived(commit, ARRIVAL + timedelta(seconds=after_s))
            after = Checkpoint(number + 1, commit.head.last_seq, ())
            assert ledger.commit(before, after, commit)
            made.append(commit)
            before = after
        return made

    @pytest.mark.usefixtures("stored")
    def test_the_only_shard_is_listed(self, commits: CommitPages) -> None:
        """The shards are those of the stream."""
        assert list(commits.shards()) == [SHARD]

    @pytest.mark.parametrize(
        "after_s", [-1, 0, 1, 2, 3, 61, 3_601, 86_399, 86_400, 86_401, 200_000]
    )
    def test_where_a_period_begins(
        self, commits: CommitPages, stored: list[Commit], after_s: int
    ) -> None:
        """The first commit that arrived then or later, wherever its number is."""
        at = ARRIVAL + timedelta(seconds=after_s)
        expected = next(each for each in stored if each.head.first_arrival >= at)
        assert commits.first_arrived(SHARD, at) == expected.head.first_seq

    @pytest.mark.usefixtures("stored")
    def test_after_the_last_there_is_none(self, commits: CommitPages) -> None:
        """Neither after the last commit nor on a shard without any."""
        late = ARRIVAL + timedelta(seconds=200_001)
        assert commits.first_arrived(SHARD, late) is None
        empty = ShardKey(SHARD.incarnation, "shardId-000000000009")
        assert commits.first_arrived(empty, ARRIVAL) is None

    def test_pages_hold_every_commit_from_there_on(
        self, commits: CommitPages, stored: list[Commit]
    ) -> None:
        """Whole commits in order of their numbers; without lines only the table is left out."""
        begin = stored[3].head.first_seq
        whole = [each for page in commits.pages(SHARD, begin, lines=True) for each in page]
        assert whole == stored[3:]
        bare = [each for page in commits.pages(SHARD, begin, lines=False) for each in page]
        assert [each.head for each in bare] == [each.head for each in stored[3:]]
        assert [each.body.stats for each in bare] == [each.body.stats for each in stored[3:]]
        assert all(not each.body.lines and not each.body.members for each in bare)
