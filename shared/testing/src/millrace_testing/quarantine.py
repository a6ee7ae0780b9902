"""Quarantine for tests: commits of rejected records, and its ports in memory."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

import orjson

from millrace import keys
from millrace.commit import Commit, CommitBody, CommitCounts, CommitHead, ShardKey
from millrace.errors import RejectedRecord
from millrace.event import EventLimits, judge_event
from millrace.quarantine.marks import CommitKey, CommitMarks
from millrace.quarantine.ports import Outgoing
from millrace.quarantine.rule import Rule
from millrace.raw_lines import pack
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD


def rejected_commit(
    datas: Sequence[bytes],
    *,
    shard: ShardKey = SHARD,
    first_seq: int = 100,
    arrival: datetime = ARRIVAL,
    accepted: int = 0,
) -> tuple[Commit, bytes]:
    """Return a commit that rejected each of `datas` (one record each), and its object.

    Reasons and messages are the contract's own.
    """
    lines = [_line(data, shard, first_seq + number, arrival) for number, data in enumerate(datas)]
    head = CommitHead(
        shard=shard,
        first_seq=first_seq,
        last_seq=first_seq + len(datas) + accepted - 1,
        counts=CommitCounts(accepted=accepted, quarantined=len(datas)),
        first_arrival=arrival,
        last_arrival=arrival,
        committed_at=arrival,
        correlation_id="corr-1",
        raw_key="raw/x" if accepted else None,
        raw_bytes=0,
        quarantine_key=keys.quarantine_key(arrival, shard.shard_id, str(first_seq), "uuid"),
    )
    return Commit(head, CommitBody((), (), ())), pack(lines).body


def _line(data: bytes, shard: ShardKey, seq: int, arrival: datetime) -> bytes:
    try:
        judge_event(data, arrival, EventLimits())
    except RejectedRecord as err:
        reason, message = err.reason, err.message
    else:
        raise AssertionError(f"{data!r} is an event")
    return orjson.dumps(
        {
            "reason": reason,
            "message": message,
            "shard": str(shard),
            "sequence": str(seq),
            "position": 0,
            "arrival_time": format_ms(arrival),
            "bytes_base64": b64encode(data).decode(),
        }
    )


class FakeMarks:
    """`millrace.quarantine.ports.MarkStore` in a dictionary."""

    def __init__(self) -> None:
        self.marks: dict[CommitKey, CommitMarks] = {}

    def read(self, keys: Sequence[CommitKey]) -> Mapping[CommitKey, CommitMarks]:
        """Return the marks of each commit; version 0 where there are none."""
        return {key: self.marks.get(key, CommitMarks(key)) for key in keys}

    def write(self, marks: CommitMarks) -> bool:
        """Replace a commit's marks if the stored version is the one before."""
        if self.marks.get(marks.key, CommitMarks(marks.key)).version != marks.version - 1:
            return False
        self.marks[marks.key] = marks
        return True


class FakeRules:
    """`millrace.quarantine.ports.RuleStore` in a dictionary."""

    def __init__(self) -> None:
        self.rules: dict[str, Rule] = {}

    def keep(self, rule: Rule) -> None:
        """Store a rule."""
        self.rules[rule.rule_hash] = rule

    def find(self, rule_hash: str) -> Rule | None:
        """Return the rule with this hash, if one was used."""
        return self.rules.get(rule_hash)


class FakeArrivedCommits:
    """`millrace.quarantine.ports.ArrivedCommits` over a list of commits."""

    def __init__(self, heads: Sequence[CommitHead]) -> None:
        self._heads = sorted(heads, key=lambda head: (head.shard.shard_id, head.first_seq))

    def shards(self) -> Sequence[ShardKey]:
        """Return the shards that have commits, sorted."""
        return sorted({head.shard for head in self._heads}, key=lambda shard: shard.shard_id)

    def heads(self, shard: ShardKey, start: datetime, first_seq: int) -> Iterator[CommitHead]:
        """Yield a shard's commits in order that may hold arrivals since `start`."""
        for head in self._heads:
            if head.shard == shard and head.last_arrival >= start and head.last_seq >= first_seq:
                yield head

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        return next(
            (
                head
                for head in self._heads
                if head.shard == shard and (head.first_seq <= seq <= head.last_seq)
            ),
            None,
        )


class FakeDoor:
    """`millrace.quarantine.ports.FrontDoor` that keeps what it is given."""

    def __init__(self, before: Callable[[], None] = lambda: None) -> None:
        self.events: list[Outgoing] = []
        self.calls = 0
        self._before = before

    def put(self, events: Sequence[Outgoing]) -> None:
        """Keep the events."""
        self._before()
        self.calls += 1
        self.events += events
