"""How far the pipeline in front of the archive has come: the ledger and the stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from export.domain.completeness import PipelineProgress
from millrace.aws.batches import TableBatches
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.errors import translated
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import head_of
from millrace.clock import Clock
from millrace.commit import CommitHead, ShardKey, Stage
from millrace.errors import RetryableError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient

# How long the index of unfinished commits may lag behind the table; it takes well below a second.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html
INDEX_LAG = timedelta(minutes=2)
_LOOKS = 10  # GetRecords may answer with nothing although there is something behind it
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream whose shards are looked at."""

    arn: str
    incarnation: str


class StreamProgress:
    """`export.ports.Progress` over the shards of one stream.

    Shards are looked at first, then the ledger: a record that has left the stream's tail is in a
    commit by then.
    """

    def __init__(
        self,
        kinesis: "KinesisClient",
        dynamodb: "DynamoDBClient",
        commits_table: str,
        stream: Stream,
        clock: Clock,
    ) -> None:
        self._kinesis = kinesis
        self._ledger = DynamoLedger(dynamodb, commits_table)
        self._discards = DynamoDiscards(dynamodb, commits_table)
        self._batches = TableBatches(dynamodb, commits_table)
        self._stream = stream
        self._clock = clock

    def look(self) -> PipelineProgress:
        """Return what is on its way; a shard that cannot be asked counts as waiting for ever."""
        seen_at = self._clock.now()
        shards = [ShardKey(self._stream.incarnation, shard_id) for shard_id in self._shard_ids()]
        waiting = [since for since in map(self._waiting_since, shards) if since is not None]
        waiting += self._discards.open_since()  # they may still be repaired
        heads = {head.commit_id: head for head in self._unfinished()}
        for shard in shards:
            heads |= {head.commit_id: head for head in self._recent(shard, seen_at - INDEX_LAG)}
        unarchived = [
            head.event_span
            for head in heads.values()
            if not head.finished and Stage.ARCHIVED not in head.marks
        ]
        return PipelineProgress(seen_at, min(waiting, default=None), tuple(unarchived))

    def _shard_ids(self) -> list[str]:
        pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=self._stream.arn)
        with translated("ListShards"):
            return [shard["ShardId"] for page in pages for shard in page["Shards"]]

    def _waiting_since(self, shard: ShardKey) -> datetime | None:
        reached = self._ledger.read(shard).committed_seq
        latest = self._ledger.latest(shard)  # a repair does not move the watermark
        if latest is not None:
            reached = max(reached, latest.last_seq)
        try:
            with translated("GetRecords"):
                return self._first_arrival(shard.shard_id, reached)
        except RetryableError:
            return _LONG_AGO

    def _first_arrival(self, shard_id: str, committed_seq: int) -> datetime | None:
        """Return the arrival of the first record behind the committed ones; None if all are.

        An empty answer may still have records after it; it then says how far behind it is.
        https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
        """
        iterator: str | None = self._iterator(shard_id, committed_seq)
        for _ in range(_LOOKS):
            if iterator is None:
                return None  # a closed shard, read to its end
            answer = self._kinesis.get_records(
                ShardIterator=iterator, StreamARN=self._stream.arn, Limit=1
            )
            if answer["Records"]:
                return answer["Records"][0]["ApproximateArrivalTimestamp"]
            if not answer.get("MillisBehindLatest"):
                return None
            iterator = answer.get("NextShardIterator")
        return _LONG_AGO

    def _iterator(self, shard_id: str, committed_seq: int) -> str:
        start: dict[str, Any] = {"ShardIteratorType": "TRIM_HORIZON"}
        if committed_seq >= 0:
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": str(committed_seq),
            }
        answer = self._kinesis.get_shard_iterator(
            StreamARN=self._stream.arn, ShardId=shard_id, **start
        )
        return answer["ShardIterator"]

    def _unfinished(self) -> Iterator[CommitHead]:
        items = self._batches.read(self._ledger.unfinished_keys(), consistent=True)
        return map(head_of, items)

    def _recent(self, shard: ShardKey, since: datetime) -> Iterator[CommitHead]:
        """Yield the commits that the index may not have yet."""
        for head in self._ledger.latest_first(shard):
            if head.committed_at < since:
                return
            yield head
