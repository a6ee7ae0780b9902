"""Commits by arrival: the range of a shard's rows for a period, found without a scan.

A shard's rows are sorted by sequence number, and Kinesis numbers rise with time within a shard
(https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html#sequence-number). So where a
period begins is found by halving: each step reads one row, and as many steps as it takes to halve
the shard's history down to two neighbours (docs/adr/0021-investigate.md).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millrace.aws import ledger_items as items
from millrace.aws.errors import translated
from millrace.commit import Commit, CommitBody, CommitHead, ShardKey, padded

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient

_SHARD_ID = re.compile(r"shardId-(\d{12})")
_PAGE_ITEMS = 1000
"""Heads a page: with their bodies a few megabytes at most."""
_NO_BODY = CommitBody((), (), ())


class KinesisShards:
    """The shards of a stream, those that Kinesis has forgotten included."""

    def __init__(self, client: "KinesisClient", stream_arn: str, incarnation: str) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._incarnation = incarnation

    def all(self) -> list[ShardKey]:
        """Return every shard that the stream has or had, in order.

        Kinesis lists a closed shard until its records expire, and numbers shards from 0 on in the
        order of their making: a number below the highest that it lists was a shard once. One that
        never was costs a read of one unit.
        """
        pages = self._client.get_paginator("list_shards").paginate(StreamARN=self._stream_arn)
        with translated("ListShards"):
            listed = {shard["ShardId"] for page in pages for shard in page["Shards"]}
        numbers = [int(match[1]) for match in map(_SHARD_ID.fullmatch, listed) if match]
        earlier = {f"shardId-{number:012d}" for number in range(max(numbers, default=-1) + 1)}
        return [ShardKey(self._incarnation, shard_id) for shard_id in sorted(listed | earlier)]


class DynamoCommitPages:
    """`millrace.investigate.ports.CommitPages` on the commits table; strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str, shards: KinesisShards) -> None:
        self._client = client
        self._table = table
        self._shards = shards

    def shards(self) -> Sequence[ShardKey]:
        """Return every shard that the stream has or had, in order."""
        return self._shards.all()

    def first_arrived(self, shard: ShardKey, at: datetime) -> int | None:
        """Return the first sequence number of the first commit that arrived at `at` or later."""
        before, after = self._ends(shard)
        if before is None or after is None or after.first_arrival < at:
            return None
        if before.first_arrival >= at:
            return before.first_seq
        while True:  # before < at <= after, and each turn halves what is between them
            middle = (before.first_seq + after.first_seq) // 2
            found = self._one(shard, before.first_seq + 1, middle, forward=False)
            if found is None:
                found = self._one(shard, middle + 1, after.first_seq)
                if found is None or found.first_arrival >= at:
                    return (found or after).first_seq
            if found.first_arrival >= at:
                after = found
            else:
                before = found

    def pages(self, shard: ShardKey, first_seq: int, *, lines: bool) -> Iterator[Sequence[Commit]]:
        """Yield the commits that begin at `first_seq` or later, in order; bodies page by page."""
        for page in self._queried(str(shard), first_seq, items.HIGHEST_SEQ):
            heads = [items.head_of(item) for item in page]
            if heads:
                bodies = self._bodies(shard, heads, lines=lines)
                yield [Commit(head, bodies.get(head.first_seq, _NO_BODY)) for head in heads]

    def _bodies(
        self, shard: ShardKey, heads: Sequence[CommitHead], *, lines: bool
    ) -> Mapping[int, CommitBody]:
        partition = items.lines_partition(shard)
        pages = self._queried(
            partition, heads[0].first_seq, heads[-1].first_seq, None if lines else "seq, stats"
        )
        return {items.first_seq_of(item): items.body_of(item) for page in pages for item in page}

    def _ends(self, shard: ShardKey) -> tuple[CommitHead | None, CommitHead | None]:
        first = self._one(shard, 0, items.HIGHEST_SEQ)
        last = self._one(shard, 0, items.HIGHEST_SEQ, forward=False) if first else None
        return first, last

    def _one(
        self, shard: ShardKey, low: int, high: int, *, forward: bool = True
    ) -> CommitHead | None:
        if low > high:
            return None
        with translated("Query commits"):
            answer = self._client.query(
                **self._query(str(shard), low, high), ScanIndexForward=forward, Limit=1
            )
        return items.head_of(answer["Items"][0]) if answer["Items"] else None

    def _queried(
        self, partition: str, low: int, high: int, attributes: str | None = None
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        query = self._query(partition, low, high)
        if attributes is not None:
            query["ProjectionExpression"] = attributes
        pages = self._client.get_paginator("query").paginate(
            **query, PaginationConfig={"PageSize": _PAGE_ITEMS}
        )
        with translated("Query commits"):
            for page in pages:
                yield page["Items"]

    def _query(self, partition: str, low: int, high: int) -> dict[str, Any]:
        values = {":shard": partition, ":low": padded(low), ":high": padded(high)}
        return {
            "TableName": self._table,
            "KeyConditionExpression": "#shard = :shard AND seq BETWEEN :low AND :high",
            "ExpressionAttributeNames": {"#shard": "shard"},  # a reserved word
            "ExpressionAttributeValues": items.to_attributes(values),
            "ConsistentRead": True,
        }
