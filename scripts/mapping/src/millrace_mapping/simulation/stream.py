"""A Kinesis stream in memory: shards with hash ranges, resharding, iterators, retention, faults.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_SplitShard.html
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import md5
from itertools import count
from math import inf

from millrace_mapping.core.effects import Page, ReadFault
from millrace_mapping.core.lineage import Shard
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.settings import Origin, Start

ITERATOR_LIFE_S = 300
_HASHES = 2**128


class ReadFailed(Exception):
    """A read that brought nothing."""

    def __init__(self, fault: ReadFault) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(slots=True)
class _MemoryShard:
    shard_id: str
    first_hash: int
    end_hash: int
    parents: tuple[str, ...] = ()
    is_closed: bool = False
    records: list[StreamRecord] = field(default_factory=list)


@dataclass(slots=True)
class _Iterator:
    shard: _MemoryShard
    index: int
    issued_at: float


class MemoryStream:
    """Records by shard; every call is told the time."""

    def __init__(self, shards: int, retention_s: float = inf, page_size: int = 10_000) -> None:
        """Create the stream with equal hash ranges."""
        self.retention_s = retention_s
        self._page_size = page_size
        self._numbers = count()
        self._tokens = count()
        self._sequences = count(1_000)
        self._shards: dict[str, _MemoryShard] = {}
        self._iterators: dict[str, _Iterator] = {}
        for n in range(shards):
            self._add(_HASHES * n // shards, _HASHES * (n + 1) // shards)

    def shards(self) -> list[Shard]:
        """Return all shards, closed ones included."""
        return [Shard(each.shard_id, each.parents) for each in self._shards.values()]

    def open_shards(self) -> list[str]:
        """Return the ids of the shards that take records."""
        return [each.shard_id for each in self._shards.values() if not each.is_closed]

    def records(self) -> Iterator[tuple[str, StreamRecord]]:
        """Yield each record ever put, with its shard."""
        for shard in self._shards.values():
            for record in shard.records:
                yield shard.shard_id, record

    def put(self, partition_key: str, data: bytes, now: float) -> tuple[str, StreamRecord]:
        """Put a record on the open shard that its key belongs to."""
        hashed = int.from_bytes(md5(partition_key.encode(), usedforsecurity=False).digest())
        shard = next(
            each
            for each in self._shards.values()
            if not each.is_closed and each.first_hash <= hashed < each.end_hash
        )
        record = StreamRecord(str(next(self._sequences)), partition_key, data, now)
        shard.records.append(record)
        return shard.shard_id, record

    def split(self, shard_id: str) -> tuple[str, str]:
        """Close an open shard; its two children share its hash range."""
        parent = self._shards[shard_id]
        parent.is_closed = True
        middle = (parent.first_hash + parent.end_hash) // 2
        first = self._add(parent.first_hash, middle, (shard_id,))
        return first, self._add(middle, parent.end_hash, (shard_id,))

    def merge(self, shard_id: str, adjacent_id: str) -> str:
        """Close two adjacent open shards; their child has both hash ranges."""
        pair = self._shards[shard_id], self._shards[adjacent_id]
        for each in pair:
            each.is_closed = True
        first, second = sorted(pair, key=lambda each: each.first_hash)
        return self._add(first.first_hash, second.end_hash, (shard_id, adjacent_id))

    def adjacent(self, shard_id: str) -> str | None:
        """Return the open shard whose hash range follows, if there is one."""
        end = self._shards[shard_id].end_hash
        found = (e.shard_id for e in self._shards.values() if not e.is_closed)
        return next((each for each in found if self._shards[each].first_hash == end), None)

    def open_iterator(self, shard_id: str, start: Start, now: float) -> str:
        """Return an iterator that stands at `start`."""
        shard = self._shards[shard_id]
        return self._issue(_Iterator(shard, _index_of(shard, start), now))

    def read(self, iterator: str, now: float) -> Page:
        """Return the next page. Raises: ReadFailed: the iterator is too old."""
        state = self._iterators.pop(iterator)
        if now - state.issued_at > ITERATOR_LIFE_S:
            raise ReadFailed(ReadFault.EXPIRED)
        records = state.shard.records
        first = max(state.index, self._horizon(state.shard, now))
        page = records[first : first + self._page_size]
        end = first + len(page)
        if state.shard.is_closed and end == len(records):
            return Page(page, None)
        behind_ms = int((now - records[end].arrival) * 1000) + 1 if end < len(records) else 0
        return Page(page, self._issue(_Iterator(state.shard, end, now)), behind_ms)

    def version(self, shard_id: str) -> tuple[int, bool]:
        """Return something that changes whenever a reader at the tip would learn anything new."""
        shard = self._shards[shard_id]
        return len(shard.records), shard.is_closed

    def renew(self, shard_id: str, now: float) -> None:
        """Let the shard's iterators be as young as if they had been used until now."""
        for state in self._iterators.values():
            if state.shard.shard_id == shard_id:
                state.issued_at = now

    def _horizon(self, shard: _MemoryShard, now: float) -> int:
        """Return the index of the oldest record that retention has not taken."""
        if self.retention_s == inf:
            return 0
        return bisect_left(shard.records, now - self.retention_s, key=lambda r: r.arrival)

    def _add(self, first_hash: int, end_hash: int, parents: tuple[str, ...] = ()) -> str:
        shard_id = f"shardId-{next(self._numbers):012d}"
        self._shards[shard_id] = _MemoryShard(shard_id, first_hash, end_hash, parents)
        return shard_id

    def _issue(self, state: _Iterator) -> str:
        token = f"iterator-{next(self._tokens)}"
        self._iterators[token] = state
        return token


def _index_of(shard: _MemoryShard, start: Start) -> int:
    match start.origin:
        case Origin.TRIM_HORIZON:
            return 0
        case Origin.LATEST:
            return len(shard.records)
        case Origin.AT_TIMESTAMP:
            return bisect_left(shard.records, start.at or 0.0, key=lambda r: r.arrival)
        case Origin.AFTER:
            after = int(start.after or -1)
            return bisect_left(shard.records, after + 1, key=lambda r: int(r.sequence))
