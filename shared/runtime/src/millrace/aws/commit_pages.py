"""Commits by arrival, a page of whole ones at a time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from millrace.aws import ledger_items as items
from millrace.aws.arrivals import KinesisShards, first_arrived
from millrace.aws.errors import translated
from millrace.aws.ledger import DynamoLedger
from millrace.commit import Commit, CommitBody, CommitHead, ShardKey, padded

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_PAGE_ITEMS = 100
"""Heads a page: their bodies, about 13 KB for each thousand events, are two or three pages more."""
_NO_BODY = CommitBody((), (), ())


class DynamoCommitPages:
    """`millrace.investigate.ports.CommitPages` on the commits table; strongly consistent."""

    def __init__(self, client: "DynamoDBClient", table: str, shards: KinesisShards) -> None:
        self._client = client
        self._table = table
        self._shards = shards
        self._ledger = DynamoLedger(client, table)

    def shards(self) -> Sequence[ShardKey]:
        """Return every shard that the stream has or had, in order."""
        return self._shards.all()

    def first_arrived(self, shard: ShardKey, at: datetime) -> int | None:
        """Return where the commits begin whose last record arrived at `at` or later."""
        return first_arrived(self._ledger, shard, at)

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
