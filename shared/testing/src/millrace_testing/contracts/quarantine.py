"""What every store of marks promises: `millrace.quarantine.ports.MarkStore`."""

from datetime import timedelta

from millrace.quarantine.marks import CommitKey, CommitMarks, Mark, State
from millrace.quarantine.ports import MarkStore
from millrace_testing.builders import ARRIVAL, SHARD

_BIG_SEQ = 49581544954143914480256700934210366840104395343224897586


class MarkStoreContract:
    """Subclasses provide the fixture `store`."""

    def test_a_commit_without_marks_has_version_0(self, store: MarkStore) -> None:
        """Nothing is marked before somebody marks it; every key that was asked for answers."""
        keys = [CommitKey(SHARD, 100), CommitKey(SHARD, 200)]
        assert store.read(keys) == {key: CommitMarks(key) for key in keys}
        assert store.read([]) == {}

    def test_marks_are_read_back_whole(self, store: MarkStore) -> None:
        """Lines, people, rules and reasons survive, with sequence numbers beyond 64 bits."""
        key, other = CommitKey(SHARD, _BIG_SEQ), CommitKey(SHARD, 7)
        lines = frozenset({*range(1500), 1999})
        first = CommitMarks(key).with_mark(
            Mark(State.BEGUN, lines, ARRIVAL, "ann", "0123456789abcdef", "a release")
        )
        dropped = Mark(State.DROPPED, frozenset({1700}), ARRIVAL + timedelta(1), "bo", "", "junk")
        assert store.write(first)
        assert store.write(first.with_mark(dropped))
        assert store.read([other, key]) == {
            key: first.with_mark(dropped),
            other: CommitMarks(other),
        }

    def test_only_one_of_two_writers_from_one_version_wins(self, store: MarkStore) -> None:
        """The slower one is told, and leaves no trace."""
        key = CommitKey(SHARD, 100)
        mine = CommitMarks(key).with_mark(Mark(State.BEGUN, frozenset({1}), ARRIVAL, "ann", "r"))
        yours = CommitMarks(key).with_mark(Mark(State.DROPPED, frozenset({2}), ARRIVAL, "bo"))
        assert store.write(mine)
        assert not store.write(yours)
        assert store.read([key]) == {key: mine}
        later = mine.with_mark(Mark(State.DROPPED, frozenset({2}), ARRIVAL, "bo"))
        assert store.write(later)
        assert not store.write(later)
