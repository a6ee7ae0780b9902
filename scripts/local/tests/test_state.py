"""What a reader of mapping.json can rely on."""

from pathlib import Path

from millrace_local.mapping.state import (
    MappingProgress,
    ShardProgress,
    read_state,
    write_state,
)


def mapping(**shards: ShardProgress) -> MappingProgress:
    return MappingProgress("stream", "function", ["TumblingWindowInSeconds"], shards)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """The file carries everything that the poller knows."""
    written = {"u": mapping(a=ShardProgress(position="7", delivered=3, blocked="why"))}
    write_state(tmp_path / "mapping.json", written)
    assert read_state(tmp_path / "mapping.json") == written


def test_before_the_first_report_nothing_is_known(tmp_path: Path) -> None:
    """No file is not an error."""
    assert read_state(tmp_path / "mapping.json") == {}


def test_drained_means_that_every_shard_caught_up_since() -> None:
    """One shard that has not been read to its end since then, and the stream is not drained."""
    early, late = ShardProgress(caught_up_at=10.0), ShardProgress(caught_up_at=20.0)
    assert mapping(a=late).drained(15)
    assert not mapping(a=late, b=early).drained(15)
    assert not mapping(a=ShardProgress()).drained(15)


def test_an_unknown_stream_is_not_drained() -> None:
    """Before the shards are known nothing can be said."""
    assert not mapping().drained(0)


def test_a_closed_shard_holds_nothing_back() -> None:
    """A shard that ended had been delivered to its end; alone it says nothing of its children."""
    closed, caught_up = ShardProgress(closed=True), ShardProgress(caught_up_at=20.0)
    assert mapping(a=closed, b=caught_up).drained(15)
    assert not mapping(a=closed).drained(15)


def test_blocked_shards_are_told_apart() -> None:
    """Blocked is reported by shard, with the reason."""
    assert mapping(a=ShardProgress(blocked="why"), b=ShardProgress()).blocked() == {"a": "why"}
