"""Discarded batches and abandoned ranges in the commits table; their keys are built here alone."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger import UNFINISHED_INDEX, lost_condition
from millrace.aws.ledger_items import checkpoint_key, from_attributes, to_attributes
from millrace.commit import Checkpoint, SeqRange, ShardKey, padded
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace.times import format_ms, parse_rfc3339

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from millrace.aws.ledger_items import Item

_OPEN_BUCKET = "discarded"  # the partition of the unfinished index for batches that are open
_ABANDONED_PK = "abandoned"


class DynamoDiscards:
    """`millrace.discarded.ports.DiscardedBatches` and `Abandonments`."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def note(self, batch: DiscardedBatch) -> bool:
        """Keep a batch as open if it is not known yet; return whether it was new."""
        with translated("PutItem discarded"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=_item(batch),
                    ConditionExpression="attribute_not_exists(seq)",
                )
            except ClientError as err:
                if code_of(err) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def find(self, shard: ShardKey, within: SeqRange) -> DiscardedBatch | None:
        """Return the batch of exactly that range, strongly consistent."""
        with translated("GetItem discarded"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(shard, within), ConsistentRead=True
            )
        item = answer.get("Item")
        return _batch(item) if item else None

    def open(self) -> Iterator[DiscardedBatch]:
        """Yield what is still open, by the arrival of its first record.

        The index is eventually consistent; what it names is read from the table.
        """
        keys = [{"shard": each["shard"], "seq": each["seq"]} for each in self._open_items()]
        found = map(_batch, TableBatches(self._client, self._table).read(keys, consistent=True))
        still = (batch for batch in found if batch.state is State.OPEN)
        yield from sorted(still, key=lambda batch: (batch.first_arrival, batch.range))

    def open_since(self) -> list[datetime]:
        """Return the arrival of the first record of each open batch, the oldest first."""
        return [parse_rfc3339(from_attributes(each)["committed_at"]) for each in self._open_items()]

    def known(self, incarnation: str) -> Iterator[DiscardedBatch]:
        """Yield every batch of one incarnation of the stream, open or not."""
        return map(_batch, self._query({":pk": _partition(incarnation)}))

    def close_repaired(self, batch: DiscardedBatch, at: datetime) -> bool:
        """Close a batch as repaired if it is open; return whether it is closed so now."""
        closed = self._closed(batch, Closing(State.REPAIRED, at))
        with translated("UpdateItem discarded"):
            try:
                self._client.update_item(**closed)
            except ClientError as err:
                if code_of(err) != "ConditionalCheckFailedException":
                    raise
            else:
                return True
        there = self.find(batch.shard, batch.range)
        return there is not None and there.state is State.REPAIRED

    def abandon(
        self,
        batch: DiscardedBatch,
        holes: Sequence[SeqRange],
        before: Checkpoint,
        closing: Closing,
    ) -> bool:
        """Write `holes` as gone for good, close the batch and move the checkpoint's version.

        Returns: False if the version moved, or the batch is not open.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        writes: list[TransactWriteItemTypeDef] = [
            {"Update": self._moved(batch, before)},
            {"Update": self._closed(batch, closing)},
            *(self._gone(batch, hole, closing) for hole in holes),
        ]
        with translated("TransactWriteItems abandon"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                if lost_condition(err):
                    return False
                raise
        return True

    def abandoned(self) -> Sequence[tuple[str, SeqRange]]:
        """Return shard (as an owner names it) and range of each, strongly consistent."""
        rows = map(from_attributes, self._query({":pk": _ABANDONED_PK}))
        return [
            (row["gone_shard"], SeqRange(int(row["gone_first"]), int(row["gone_last"])))
            for row in rows
        ]

    def _open_items(self) -> Iterator[Mapping[str, Any]]:
        return self._pages(
            IndexName=UNFINISHED_INDEX,
            KeyConditionExpression="unfinished = :bucket",
            ExpressionAttributeValues=to_attributes({":bucket": _OPEN_BUCKET}),
        )

    def _query(self, values: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
        return self._pages(
            KeyConditionExpression="#shard = :pk",
            ExpressionAttributeNames={"#shard": "shard"},  # one of DynamoDB's reserved words
            ExpressionAttributeValues=to_attributes(values),
            ConsistentRead=True,
        )

    def _pages(self, **query: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - boto3's arguments
        pages = self._client.get_paginator("query").paginate(TableName=self._table, **query)
        with translated("Query discarded"):
            for page in pages:
                yield from page["Items"]

    def _closed(self, batch: DiscardedBatch, closing: Closing) -> Any:  # noqa: ANN401 - of two calls
        return {
            "TableName": self._table,
            "Key": _key(batch.shard, batch.range),
            "UpdateExpression": (
                "SET #state = :state, closed_at = :at, closed_by = :who, closed_reason = :reason "
                "REMOVE unfinished, committed_at"
            ),
            "ConditionExpression": "#state = :open",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": to_attributes(
                {
                    ":state": closing.state.value,
                    ":open": State.OPEN.value,
                    ":at": format_ms(closing.at),
                    ":who": closing.who,
                    ":reason": closing.reason,
                }
            ),
        }

    def _moved(self, batch: DiscardedBatch, before: Checkpoint) -> Any:  # noqa: ANN401
        """Return the checkpoint's update; what is pending stays, and stays in the index.

        The mapping has passed the range, so nothing before its end will come again but what is
        discarded, and a repair does not ask the watermark.
        """
        unchanged = "version = :before" if before.version else "attribute_not_exists(version)"
        values = {
            ":version": before.version + 1,
            ":seq": str(max(before.committed_seq, batch.range.last)),
            ":none": [],
            ":nothing": {},
        } | ({":before": before.version} if before.version else {})
        return {
            "TableName": self._table,
            "Key": checkpoint_key(batch.shard),
            "UpdateExpression": (
                "SET version = :version, committed_seq = :seq, "
                "pending = if_not_exists(pending, :none), "
                "highest_ms = if_not_exists(highest_ms, :nothing)"
            ),
            "ConditionExpression": unchanged,
            "ExpressionAttributeValues": to_attributes(values),
        }

    def _gone(
        self, batch: DiscardedBatch, hole: SeqRange, closing: Closing
    ) -> "TransactWriteItemTypeDef":
        fields = {
            "shard": _ABANDONED_PK,
            "seq": _place(str(batch.shard), hole),
            "gone_shard": str(batch.shard),
            "gone_first": str(hole.first),
            "gone_last": str(hole.last),
            "batch_id": batch.batch_id,
            "at": format_ms(closing.at),
            "who": closing.who,
            "reason": closing.reason,
        }
        return {"Put": {"TableName": self._table, "Item": to_attributes(fields)}}


def _partition(incarnation: str) -> str:
    return f"{incarnation}#discarded"


def _place(shard: str, within: SeqRange) -> str:
    return f"{shard}|{padded(within.first)}|{padded(within.last)}"


def _key(shard: ShardKey, within: SeqRange) -> "Item":
    fields = {"shard": _partition(shard.incarnation), "seq": _place(shard.shard_id, within)}
    return to_attributes(fields)


def _item(batch: DiscardedBatch) -> "Item":
    fields = {
        "first_seq": str(batch.range.first),
        "last_seq": str(batch.range.last),
        "shard_id": batch.shard.shard_id,
        "incarnation": batch.shard.incarnation,
        "records": batch.records,
        "first_arrival": format_ms(batch.first_arrival),
        "last_arrival": format_ms(batch.last_arrival),
        "discarded_at": format_ms(batch.discarded_at),
        "condition": batch.condition,
        "attempts": batch.attempts,
        "error": batch.error,
        "request_id": batch.request_id,
        "payload_key": batch.payload_key,
        "state": State.OPEN.value,
        "unfinished": _OPEN_BUCKET,
        "committed_at": format_ms(batch.first_arrival),  # the index's order: the most urgent first
    }
    return _key(batch.shard, batch.range) | to_attributes(fields)


def _batch(item: Mapping[str, Any]) -> DiscardedBatch:
    row = from_attributes(item)
    return DiscardedBatch(
        shard=ShardKey(row["incarnation"], row["shard_id"]),
        range=SeqRange(int(row["first_seq"]), int(row["last_seq"])),
        records=int(row["records"]),
        first_arrival=parse_rfc3339(row["first_arrival"]),
        last_arrival=parse_rfc3339(row["last_arrival"]),
        discarded_at=parse_rfc3339(row["discarded_at"]),
        condition=row["condition"],
        attempts=int(row["attempts"]),
        error=row["error"],
        request_id=row["request_id"],
        payload_key=row.get("payload_key"),
        closing=_closing(row),
    )


def _closing(row: Mapping[str, Any]) -> Closing | None:
    state = State(row["state"])
    if state is State.OPEN:
        return None
    return Closing(state, parse_rfc3339(row["closed_at"]), row["closed_by"], row["closed_reason"])
