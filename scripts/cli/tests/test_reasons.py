"""Why records were quarantined, told from commit rows and the objects that they name."""

from collections.abc import Iterator
from datetime import UTC, datetime

import orjson

from millrace.commit import CommitCounts, CommitHead, ShardKey
from millrace.raw_lines import pack
from millrace_cli.reasons import reasons_between
from millrace_cli.status import ShardStatus, StageCounts, Status

AT = datetime(2025, 12, 28, tzinfo=UTC)


def head(first_seq: int, quarantine_key: str | None) -> CommitHead:
    return CommitHead(
        shard=ShardKey("0a1b2c3d", "shardId-0"),
        first_seq=first_seq,
        last_seq=first_seq,
        counts=CommitCounts(0, 0, 0, 1),
        first_arrival=AT,
        last_arrival=AT,
        committed_at=AT,
        correlation_id="c",
        raw_key=None,
        raw_bytes=0,
        quarantine_key=quarantine_key,
    )


class Ledger:
    def heads(self, shard: ShardKey) -> Iterator[CommitHead]:
        yield from (head(5, "old"), head(7, "a"), head(8, None), head(9, "b"), head(11, "newer"))


class Objects:
    def get(self, key: str) -> bytes:
        reasons = {"a": ("not_json", "bad_length"), "b": ("not_json",)}[key]
        return pack([orjson.dumps({"reason": reason}) for reason in reasons]).body


def reading(committed_seq: int) -> Status:
    return Status((ShardStatus("shardId-0", committed_seq, 0, False, StageCounts()),))


def test_only_commits_between_the_readings_count() -> None:
    """Older and newer quarantine objects are not even read; the most frequent reason is first."""
    reasons = reasons_between(Ledger(), Objects(), "0a1b2c3d", reading(5), reading(10))
    assert list(reasons.items()) == [("not_json", 2), ("bad_length", 1)]
    assert reasons_between(Ledger(), Objects(), "0a1b2c3d", reading(9), reading(10)) == {}
