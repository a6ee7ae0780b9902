"""Reads what the pipeline says of itself: the commit ledger, the stream and the queues."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.commit import ShardKey
from millrace.discarded.batch import DiscardedBatch
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.status import QueueDepth, ShardStatus, StageCounts, Status
from millrace_local.mapping.state import read_state

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_sqs import SQSClient


class PipelineReader:
    """Reads the status of one environment; its clients are made once."""

    def __init__(self, environment: Environment) -> None:
        outputs = environment.outputs
        self._outputs = outputs
        self._mapping_state = environment.mapping_state
        self._logs = environment.logs
        self._kinesis: KinesisClient = environment.clients.kinesis()
        self._sqs: SQSClient = environment.clients.sqs()
        dynamodb = environment.clients.dynamodb()
        self._ledger = DynamoLedger(dynamodb, outputs.tables.commits)
        self._discards = DynamoDiscards(dynamodb, outputs.tables.commits)

    def status(self) -> Status:
        """Return the counts now; may block; the stream is read first, the queues last.

        In that order an event that moves on meanwhile is seen twice rather than not at all.

        Raises:
            CommandError: AWS or the local engine cannot be asked.
        """
        with explained("read the pipeline's status"):
            blocked = self._mapped_shards()
            open_batches = list(self._discards.open())
            ends = _ends(open_batches)
            live = list(self._shard_ids())
            # The local engine forgets a shard that was split; what it received still counts.
            gone = [shard_id for shard_id in blocked if shard_id not in live]
            shards = tuple(
                self._shard(
                    shard_id,
                    blocked.get(shard_id),
                    gone=shard_id in gone,
                    discarded_to=ends.get(shard_id, -1),
                )
                for shard_id in sorted([*live, *gone])
            )
            queues = tuple(self._depth(name, url) for name, url in self._outputs.queue_urls.items())
            discarded = tuple(each.batch_id for each in open_batches)
            dlqs = tuple(self._depth(name, url) for name, url in self._outputs.dlq_urls.items())
        return Status(shards, queues, dlqs, self._logs, discarded)

    def _shard_ids(self) -> Iterator[str]:
        pages = self._kinesis.get_paginator("list_shards").paginate(
            StreamARN=self._outputs.stream_arn
        )
        for page in pages:
            yield from (shard["ShardId"] for shard in page["Shards"])

    def _mapped_shards(self) -> dict[str, str | None]:
        """Return the shards that the local engine's mapping has read, and why any is blocked."""
        if self._mapping_state is None:
            return {}
        return {
            shard_id: shard.blocked
            for mapping in read_state(self._mapping_state).values()
            if mapping.stream_arn == self._outputs.stream_arn
            for shard_id, shard in mapping.shards.items()
        }

    def _shard(
        self, shard_id: str, blocked: str | None, *, gone: bool, discarded_to: int
    ) -> ShardStatus:
        shard = ShardKey(self._outputs.stream_incarnation, shard_id)
        checkpoint = self._ledger.read(shard)
        counts = StageCounts()
        unfinished: dict[int, StageCounts] = {}
        # A repair does not move the watermark, and what was given up does not wait.
        reached = max(checkpoint.committed_seq, discarded_to)
        for head in self._ledger.heads(shard):
            counts = counts.plus(head)
            reached = max(reached, head.last_seq)
            if not head.finished:
                unfinished[head.first_seq] = StageCounts().plus(head)
        return ShardStatus(
            shard_id=shard_id,
            committed_seq=checkpoint.committed_seq,
            pending_references=len(checkpoint.pending),
            waiting=not gone and self._waiting(shard_id, reached),
            counts=counts,
            blocked=blocked,
            unfinished=unfinished,
        )

    def _waiting(self, shard_id: str, reached: int) -> bool:
        """Tell whether the shard holds a record behind the last that was committed or given up."""
        arn = self._outputs.stream_arn
        if reached < 0:
            iterator = self._kinesis.get_shard_iterator(
                StreamARN=arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        else:
            iterator = self._kinesis.get_shard_iterator(
                StreamARN=arn,
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=str(reached),
            )
        answer = self._kinesis.get_records(
            ShardIterator=iterator["ShardIterator"], StreamARN=arn, Limit=1
        )
        # An empty answer may still have records after it; it then says how far behind it is.
        # https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
        return bool(answer["Records"]) or answer.get("MillisBehindLatest", 0) > 0

    def _depth(self, name: str, url: str) -> QueueDepth:
        answer = self._sqs.get_queue_attributes(
            QueueUrl=url,
            AttributeNames=[
                "ApproximateNumberOfMessages",
                "ApproximateNumberOfMessagesNotVisible",
                "ApproximateNumberOfMessagesDelayed",
            ],
        )["Attributes"]
        return QueueDepth(
            name,
            visible=int(answer["ApproximateNumberOfMessages"])
            + int(answer["ApproximateNumberOfMessagesDelayed"]),
            in_flight=int(answer["ApproximateNumberOfMessagesNotVisible"]),
        )


def _ends(batches: Iterable[DiscardedBatch]) -> dict[str, int]:
    """Return how far each shard's discarded batches reach."""
    ends: dict[str, int] = {}
    for batch in batches:
        shard_id = batch.shard.shard_id
        ends[shard_id] = max(ends.get(shard_id, -1), batch.range.last)
    return ends
