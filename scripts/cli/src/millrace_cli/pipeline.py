"""Reads what the pipeline says of itself: the commit ledger, the stream and the queues."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.shard_tips import ShardTip, ShardTips
from millrace.commit import CommitHead, ShardKey
from millrace.discarded.batch import ends_of
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.status import QueueDepth, ShardStatus, StageCounts, Status
from millrace_local.mapping.state import read_state

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class ShardHistory:
    """The commits of one shard, as far as a reading counts them."""

    counts: StageCounts = field(default_factory=StageCounts)
    unfinished: Mapping[int, StageCounts] = field(default_factory=dict)
    """The counts of each unfinished commit, by its first sequence number."""


class History(Protocol):
    """Which commits a reading counts. May block and may raise RetryableError."""

    @property
    def of_window(self) -> bool:
        """Whether finished commits are left out that are too old."""
        ...

    def read(self, shards: Sequence[ShardKey]) -> Mapping[ShardKey, ShardHistory]:
        """Return the histories of these shards, and of any other that has unfinished commits."""
        ...


@dataclass(frozen=True, slots=True)
class WholeHistory:
    """Every commit there is: for a local engine, whose history is short."""

    ledger: DynamoLedger
    of_window: bool = False

    def read(self, shards: Sequence[ShardKey]) -> Mapping[ShardKey, ShardHistory]:
        """Return the histories of these shards."""
        return {shard: history_of(self.ledger.heads(shard)) for shard in shards}


@dataclass(frozen=True, slots=True)
class NoHistory:
    """No commit at all: to see whether the rest can be read."""

    of_window: bool = True

    def read(self, shards: Sequence[ShardKey]) -> Mapping[ShardKey, ShardHistory]:
        """Return nothing of any shard."""
        return {shard: ShardHistory() for shard in shards}


def history_of(heads: Iterable[CommitHead]) -> ShardHistory:
    """Return the history that these commits of one shard make."""
    counts = StageCounts()
    unfinished: dict[int, StageCounts] = {}
    for head in heads:
        counts = counts.plus(head)
        if not head.finished:
            unfinished[head.first_seq] = StageCounts().plus(head)
    return ShardHistory(counts, unfinished)


class PipelineReader:
    """Reads the status of one environment; its clients are made once."""

    def __init__(self, environment: Environment, dynamodb: "DynamoDBClient | None" = None) -> None:
        """`dynamodb` is the client to read tables with, if it is to be metered."""
        outputs = environment.outputs
        self._outputs = outputs
        self._mapping_state = environment.mapping_state
        self._logs = environment.logs
        self._sqs: SQSClient = environment.clients.sqs()
        dynamodb = dynamodb or environment.clients.dynamodb()
        self._ledger = DynamoLedger(dynamodb, outputs.tables.commits)
        self._shard_tips = ShardTips(
            environment.clients.kinesis(),
            self._ledger,
            outputs.stream_arn,
            outputs.stream_incarnation,
        )
        self._discards = DynamoDiscards(dynamodb, outputs.tables.commits)

    def status(self, history: History | None = None) -> Status:
        """Return the counts now, of every commit unless a history says which; may block.

        Read is how far each shard is first, then its commits, then what lies behind on the stream,
        the queues last. In that order an event that moves on meanwhile is seen twice rather than
        not at all.

        Raises:
            CommandError: AWS or the local engine cannot be asked.
        """
        history = history or WholeHistory(self._ledger)
        with explained("read the pipeline's status"):
            blocked = self._mapped_shards()
            open_batches = list(self._discards.open())
            tips = self._tips(blocked, ends_of(open_batches))
            histories = history.read(list(tips))
            shards = [
                self._shard(tip, histories[shard], blocked.get(shard.shard_id), gone=gone)
                for shard, (tip, gone) in tips.items()
            ]
            shards += [_gone(key, histories[key]) for key in histories if key not in tips]
            queues = tuple(self._depth(name, url) for name, url in self._outputs.queue_urls.items())
            discarded = tuple(each.batch_id for each in open_batches)
            dlqs = tuple(self._depth(name, url) for name, url in self._outputs.dlq_urls.items())
        return Status(
            tuple(shards), queues, dlqs, self._logs, discarded, of_window=history.of_window
        )

    def _tips(
        self, mapped: Iterable[str], discarded_to: Mapping[str, int]
    ) -> dict[ShardKey, tuple[ShardTip, bool]]:
        """Return each shard's tip, and whether the stream has it no more."""
        live = list(self._shard_tips.shard_ids())
        # The local engine forgets a shard that was split; what it received still counts.
        gone = [shard_id for shard_id in mapped if shard_id not in live]
        tips = (
            self._shard_tips.tip(shard_id, discarded_to.get(shard_id, -1))
            for shard_id in sorted([*live, *gone])
        )
        return {tip.shard: (tip, tip.shard.shard_id in gone) for tip in tips}

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
        self, tip: ShardTip, history: ShardHistory, blocked: str | None, *, gone: bool
    ) -> ShardStatus:
        since = None if gone else self._shard_tips.waiting_since(tip)
        return ShardStatus(
            shard_id=tip.shard.shard_id,
            committed_seq=tip.checkpoint.committed_seq,
            pending_references=len(tip.checkpoint.pending),
            waiting=since is not None,
            counts=history.counts,
            blocked=blocked,
            unfinished=history.unfinished,
            waiting_since=since,
            last_commit_at=tip.last_commit_at,
        )

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


def _gone(shard: ShardKey, history: ShardHistory) -> ShardStatus:
    """Return a shard that the stream has no more, or that is of a stream before this one."""
    return ShardStatus(
        shard_id=str(shard),
        committed_seq=-1,
        pending_references=0,
        waiting=False,
        counts=history.counts,
        unfinished=history.unfinished,
    )
