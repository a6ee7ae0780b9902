"""The commit ledger on DynamoDB: commits and checkpoints of every shard, in one table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from millrace.aws import ledger_items as items
from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.commit import Checkpoint, Commit, CommitHead, SeqRange, ShardKey, Stage, padded
from millrace.errors import CommitMissing
from millrace.times import format_ms, parse_rfc3339

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

UNFINISHED_INDEX = "unfinished"
_SHARD = {"#shard": "shard"}  # one of DynamoDB's reserved words


class DynamoLedger:
    """`millrace.ports.CommitFinder` and `Checkpoints` on the commits table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def read(self, shard: ShardKey) -> Checkpoint:
        """Return the shard's checkpoint, strongly consistent; a new shard has the default one."""
        item = self._get(items.checkpoint_key(shard))
        return items.checkpoint_of(item) if item else Checkpoint()

    def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
        """Write the commit and `after` in one transaction if the version is still `before`'s.

        Returns: False if another attempt moved the version first and this commit is not there;
            True if the commit is in the ledger, by this call or by an unanswered earlier one.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        head = commit.head
        since = head.committed_at if after.pending else None
        writes: list[TransactWriteItemTypeDef] = [
            {"Update": self._checkpoint_update(head.shard, before, after, since)},
            self._put_new(items.head_item(head)),
            self._put_new(items.body_item(commit)),
        ]
        with translated("TransactWriteItems commit"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                if not lost_condition(err):
                    raise
            else:
                return True
        return self._is_mine(head)

    def covered(self, shard: ShardKey, within: SeqRange) -> Sequence[SeqRange]:
        """Return the ranges of all commits that touch `within`, in order; they never overlap.

        Of the commits that begin before `within` only the nearest can reach into it.
        """
        before = self._commit_before(shard, within.first)
        inside = self._commits_from(shard, within.first, within.last)
        ranges = [SeqRange(head.first_seq, head.last_seq) for head in (*before, *inside)]
        return [each for each in ranges if each.last >= within.first]

    def overdue(self, since_before: datetime) -> Iterator[ShardKey]:
        """Yield each shard that has had references pending since before that time."""
        query = {
            "IndexName": UNFINISHED_INDEX,
            "KeyConditionExpression": "unfinished = :pending AND committed_at < :limit",
            "ExpressionAttributeValues": items.to_attributes(
                {":pending": items.PENDING_BUCKET, ":limit": format_ms(since_before)}
            ),
        }
        return (ShardKey.parse(items.from_attributes(it)["shard"]) for it in self._query(query))

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        """Empty `pending` if the version is still the one in `seen`; return whether it was."""
        after = replace(seen, version=seen.version + 1, pending=())
        with translated("UpdateItem checkpoint"):
            try:
                self._client.update_item(**self._checkpoint_update(shard, seen, after, None))
            except ClientError as err:
                if code_of(err) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit with its line table; raise CommitMissing if there is none."""
        head = self.head(shard, first_seq)
        body = self._get(items.body_key(shard, first_seq))
        if body is None:
            raise CommitMissing(f"commit {head.commit_id} has no line table in the ledger")
        return Commit(head, items.body_of(body))

    def head(self, shard: ShardKey, first_seq: int) -> CommitHead:
        """Return the small half of a commit; raise CommitMissing if there is none.

        A stage that died between its mark, the last one, and leaving the unfinished index reads
        the commit again when its message comes back: that is when the commit leaves it.
        """
        item = self._get(items.head_key(shard, first_seq))
        if item is None:
            raise CommitMissing(f"the ledger holds no commit at {shard} {first_seq}")
        self._leave_unfinished_index(item)
        return items.head_of(item)

    def heads_at(self, places: Iterable[tuple[ShardKey, int]]) -> Iterator[CommitHead]:
        """Yield the commits that are at `places` (distinct), strongly consistent, in no order."""
        keys = (items.head_key(shard, first_seq) for shard, first_seq in places)
        found = TableBatches(self._client, self._table).read(keys, consistent=True)
        return (items.head_of(item) for item in found)

    def mark(
        self, shard: ShardKey, first_seq: int, stage: Stage, value: Mapping[str, object]
    ) -> None:
        """SET the stage's mark if it is not there; leave the unfinished index when all are."""
        key = items.head_key(shard, first_seq)
        with translated(f"UpdateItem mark {stage}"):
            answer = self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression="SET #stage = if_not_exists(#stage, :value)",
                ConditionExpression="attribute_exists(seq)",
                ExpressionAttributeNames={"#stage": stage.value},
                ExpressionAttributeValues=items.to_attributes({":value": dict(value)}),
                ReturnValues="ALL_NEW",
            )
        self._leave_unfinished_index(answer["Attributes"])

    def heads(self, shard: ShardKey, first_seq: int = 0) -> Iterator[CommitHead]:
        """Yield the commits of a shard that begin at `first_seq` or later, in order."""
        return self._commits_from(shard, first_seq, items.HIGHEST_SEQ)

    def latest(self, shard: ShardKey) -> CommitHead | None:
        """Return the commit of a shard that begins last, if there is one."""
        found = self._commit_before(shard, items.HIGHEST_SEQ)
        return found[0] if found else None

    def before(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the commit of a shard that begins last before the sequence number, if any does."""
        found = self._commit_before(shard, seq)
        return found[0] if found else None

    def after(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the commit of a shard that begins first at the sequence number or later."""
        query = self._between(shard, seq, items.HIGHEST_SEQ)
        with translated("Query commits"):
            answer = self._client.query(TableName=self._table, Limit=1, **query)
        return items.head_of(answer["Items"][0]) if answer["Items"] else None

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        nearest = self._commit_before(shard, seq + 1)
        return next((head for head in nearest if head.last_seq >= seq), None)

    def _commits_from(self, shard: ShardKey, low: int, high: int) -> Iterator[CommitHead]:
        return (items.head_of(item) for item in self._query(self._between(shard, low, high)))

    @staticmethod
    def _between(shard: ShardKey, low: int, high: int) -> dict[str, Any]:
        return {
            "KeyConditionExpression": "#shard = :shard AND seq BETWEEN :low AND :high",
            "ExpressionAttributeNames": _SHARD,
            "ExpressionAttributeValues": items.to_attributes(
                {":shard": str(shard), ":low": padded(low), ":high": padded(high)}
            ),
            "ConsistentRead": True,
        }

    def _commit_before(self, shard: ShardKey, seq: int) -> list[CommitHead]:
        with translated("Query commits"):
            answer = self._client.query(
                TableName=self._table,
                KeyConditionExpression="#shard = :shard AND seq < :seq",
                ExpressionAttributeNames=_SHARD,
                ExpressionAttributeValues=items.to_attributes(
                    {":shard": str(shard), ":seq": padded(seq)}
                ),
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=1,
            )
        return [items.head_of(item) for item in answer["Items"]]

    def latest_first(self, shard: ShardKey) -> Iterator[CommitHead]:
        """Yield the commits of a shard, the one that begins last first, as they are asked for."""
        query = {
            "KeyConditionExpression": "#shard = :shard AND seq <= :high",
            "ExpressionAttributeNames": _SHARD,
            "ExpressionAttributeValues": items.to_attributes(
                {":shard": str(shard), ":high": padded(items.HIGHEST_SEQ)}
            ),
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": 50,
        }
        return (items.head_of(item) for item in self._query(query))

    def unfinished(self) -> Iterator[tuple[ShardKey, datetime]]:
        """Yield shard and commit time of each commit that some stage has yet to mark.

        The index is eventually consistent; within a bucket the oldest commit comes first.
        """
        for item in self._unfinished():
            row = items.from_attributes(item)
            yield ShardKey.parse(row["shard"]), parse_rfc3339(row["committed_at"])

    def unfinished_keys(self) -> "Iterator[items.Item]":
        """Yield the keys of the same commits, to read their heads by."""
        for item in self._unfinished():
            yield {"shard": item["shard"], "seq": item["seq"]}

    def _unfinished(self) -> Iterator[Mapping[str, Any]]:
        for bucket in items.all_unfinished_buckets():
            query = {
                "IndexName": UNFINISHED_INDEX,
                "KeyConditionExpression": "unfinished = :bucket",
                "ExpressionAttributeValues": items.to_attributes({":bucket": bucket}),
            }
            yield from self._query(query)

    def unfinished_since(
        self, start: datetime, end: datetime, most: int = 100
    ) -> Sequence[datetime]:
        """Return when unfinished commits of a window were made, the newest `most` or so of them.

        Both ends included. One query of each bucket of the index, however many wait.
        """
        found: list[datetime] = []
        for bucket in items.all_unfinished_buckets():
            values = {":bucket": bucket, ":start": format_ms(start), ":end": format_ms(end)}
            with translated("Query commits"):
                answer = self._client.query(
                    TableName=self._table,
                    IndexName=UNFINISHED_INDEX,
                    KeyConditionExpression=(
                        "unfinished = :bucket AND committed_at BETWEEN :start AND :end"
                    ),
                    ExpressionAttributeValues=items.to_attributes(values),
                    ScanIndexForward=False,
                    Limit=-(-most // items.UNFINISHED_BUCKETS),
                )
            rows = map(items.from_attributes, answer["Items"])
            found += [parse_rfc3339(row["committed_at"]) for row in rows]
        return found

    def _query(self, query: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("query").paginate(TableName=self._table, **query)
        with translated("Query commits"):
            for page in pages:
                yield from page["Items"]

    def _get(self, key: "items.Item") -> Mapping[str, Any] | None:
        with translated("GetItem commits"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return answer.get("Item")

    def _checkpoint_update(
        self, shard: ShardKey, before: Checkpoint, after: Checkpoint, at: datetime | None
    ) -> "UpdateTypeDef":
        """Return the update; `at` is when its references began to wait; None if it has none."""
        waiting = {":bucket": items.PENDING_BUCKET, ":at": format_ms(at)} if at else {}
        unchanged = "version = :before" if before.version else "attribute_not_exists(version)"
        values = {":version": after.version, ":seq": str(after.committed_seq)}
        values |= {":pending": list(after.pending), ":highest": dict(after.highest_ms)}
        values |= {":before": before.version} if before.version else {}
        values |= waiting
        indexed = (
            ", unfinished = :bucket, committed_at = :at"
            if waiting
            else " REMOVE unfinished, committed_at"
        )
        return {
            "TableName": self._table,
            "Key": items.checkpoint_key(shard),
            "UpdateExpression": (
                "SET version = :version, committed_seq = :seq, pending = :pending, "
                "highest_ms = :highest" + indexed
            ),
            "ConditionExpression": unchanged,
            "ExpressionAttributeValues": items.to_attributes(values),
        }

    def _leave_unfinished_index(self, item: Mapping[str, Any]) -> None:
        if "unfinished" in item and items.head_of(item).finished:
            with translated("UpdateItem unfinished"):
                self._client.update_item(
                    TableName=self._table,
                    Key={"shard": item["shard"], "seq": item["seq"]},
                    UpdateExpression="REMOVE unfinished",
                )

    def _put_new(self, item: "items.Item") -> "TransactWriteItemTypeDef":
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(seq)",
            }
        }

    def _is_mine(self, head: CommitHead) -> bool:
        item = self._get(items.head_key(head.shard, head.first_seq))
        if item is None:
            return False
        there = items.head_of(item)
        return (there.raw_key, there.quarantine_key) == (head.raw_key, head.quarantine_key)


def lost_condition(err: ClientError) -> bool:
    """Tell a condition that did not hold from a conflict or throttle, which may be retried."""
    reasons: Any = err.response.get("CancellationReasons", [])
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)
