"""How far each shard of the stream has come, and whether records lie behind that."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from millrace.aws.errors import translated
from millrace.aws.ledger import DynamoLedger
from millrace.commit import Checkpoint, ShardKey
from millrace.investigate.cockpit.readings import ShardReading

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient


@dataclass(frozen=True, slots=True)
class ShardTip:
    """How far a shard was when it was looked at."""

    shard: ShardKey
    checkpoint: Checkpoint
    reached: int
    """Up to here everything was committed or given up; -1 if nothing was."""
    last_commit_at: datetime | None


class ShardTips:
    """Reads them; may block, raise RetryableError or ConfigError."""

    def __init__(
        self, kinesis: "KinesisClient", ledger: DynamoLedger, stream_arn: str, incarnation: str
    ) -> None:
        self._kinesis = kinesis
        self._ledger = ledger
        self._arn = stream_arn
        self._incarnation = incarnation

    def shard_ids(self) -> Iterator[str]:
        """Yield the shards that the stream has now."""
        pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=self._arn)
        with translated("ListShards"):
            for page in pages:
                yield from (shard["ShardId"] for shard in page["Shards"])

    def tip(self, shard_id: str, discarded_to: int) -> ShardTip:
        """Return how far a shard is.

        discarded_to: the last record of it that was given up; -1 if none was.
        """
        shard = ShardKey(self._incarnation, shard_id)
        checkpoint = self._ledger.read(shard)
        latest = self._ledger.latest(shard)
        # A repair does not move the watermark, and what was given up does not wait.
        reached = max(checkpoint.committed_seq, discarded_to, latest.last_seq if latest else -1)
        return ShardTip(shard, checkpoint, reached, latest.committed_at if latest else None)

    def waiting_since(self, tip: ShardTip) -> datetime | None:
        """Return about when the first record behind a tip arrived; None if there is none."""
        with translated("GetRecords"):
            answer = self._kinesis.get_records(
                ShardIterator=self._iterator(tip), StreamARN=self._arn, Limit=1
            )
        # An empty answer may still have records after it; it then says how far behind it is.
        # https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
        behind = timedelta(milliseconds=answer.get("MillisBehindLatest", 0))
        if answer["Records"]:
            arrival = answer["Records"][0].get("ApproximateArrivalTimestamp")
            return arrival or datetime.now(UTC) - behind
        return datetime.now(UTC) - behind if behind else None

    def all(self, discarded_to: Mapping[str, int]) -> Iterator[ShardReading]:
        """Yield every shard that the stream has now, with what waits on it.

        discarded_to: the last record of a shard that was given up, by shard id.
        """
        for shard_id in self.shard_ids():
            tip = self.tip(shard_id, discarded_to.get(shard_id, -1))
            since = self.waiting_since(tip)
            yield ShardReading(shard_id, since is not None, since, tip.last_commit_at)

    def _iterator(self, tip: ShardTip) -> str:
        shard_id = tip.shard.shard_id
        if tip.reached < 0:
            answer = self._kinesis.get_shard_iterator(
                StreamARN=self._arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        else:
            answer = self._kinesis.get_shard_iterator(
                StreamARN=self._arn,
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=str(tip.reached),
            )
        return answer["ShardIterator"]
