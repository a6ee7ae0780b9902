"""Reads what the pipeline says of itself: the commit ledger, the stream and the queues."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from millrace.aws.ledger import DynamoLedger
from millrace.commit import ShardKey
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
        self._ledger = DynamoLedger(environment.clients.dynamodb(), outputs.tables.commits)

    def status(self) -> Status:
        """Return the counts now; may block; the stream is read first, the queues last.

        In that order an event that moves on meanwhile is seen twice rather than not at all.

        Raises:
            CommandError: AWS or the local engine cannot be asked.
        """
        with explained("read the pipeline's status"):
            blocked = self._mapped_shards()
            live = list(self._shard_ids())
            # The local engine forgets a shard that was split; what it received still counts.
            gone = [shard_id for shard_id in blocked if shard_id not in live]
            shards = tuple(
                self._shard(shard_id, blocked.get(shard_id), gone=shard_id in gone)
                for shard_id in sorted([*live, *gone])
            )
            queues = tuple(self._depth(name, url) for name, url in self._outputs.queue_urls.items())
            dlqs = tuple(self._depth(name, url) for name, url in self._outputs.dlq_urls.items())
        return Status(shards, queues, dlqs, self._logs)

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

    def _shard(self, shard_id: str, blocked: str | None, *, gone: bool) -> ShardStatus:
        shard = ShardKey(self._outputs.stream_incarnation, shard_id)
        checkpoint = self._ledger.read(shard)
        counts = StageCounts()
        unfinished: dict[int, StageCounts] = {}
        for head in self._ledger.heads(shard):
            counts = counts.plus(head)
            if not head.finished:
                unfinished[head.first_seq] = StageCounts().plus(head)
        return ShardStatus(
            shard_id=shard_id,
            committed_seq=checkpoint.committed_seq,
            pending_references=len(checkpoint.pending),
            waiting=not gone and self._waiting(shard_id, checkpoint.committed_seq),
            counts=counts,
            blocked=blocked,
            unfinished=unfinished,
        )

    def _waiting(self, shard_id: str, committed_seq: int) -> bool:
        """Tell whether the shard holds a record behind the last committed one."""
        arn = self._outputs.stream_arn
        if committed_seq < 0:
            iterator = self._kinesis.get_shard_iterator(
                StreamARN=arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
            )
        else:
            iterator = self._kinesis.get_shard_iterator(
                StreamARN=arn,
                ShardId=shard_id,
                ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                StartingSequenceNumber=str(committed_seq),
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
