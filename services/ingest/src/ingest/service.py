"""The ingest protocol of one batch from one shard.

Why it is exact (docs/adr/0003-idempotency.md): a commit row and the checkpoint move in one
transaction under the checkpoint's version; a reference waits in the checkpoint until it is known
to be sent; and a record below the watermark is never looked at again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import cached_property

from aws_lambda_powertools import Logger

from ingest.domain.commits import Attempt, PreparedCommit, prepare
from ingest.domain.deduplication import (
    Claim,
    Holder,
    RejectedOutcome,
    claims_of,
    committable,
    takeovers_of,
)
from ingest.domain.lateness import lateness_of
from ingest.domain.records import JudgedRecord, StreamRecord, chunks, judge, uncovered_runs
from ingest.ports import Gate, HasTime, always
from millrace.clock import Clock
from millrace.commit import Checkpoint, Commit, CommitCounts, CommitHead, SeqRange, ShardKey
from millrace.discarded.abandoning import AbandonedRanges
from millrace.discarded.ports import Abandonments
from millrace.errors import RetryableError
from millrace.event import EventLimits
from millrace.ports import Checkpoints, MessageQueue, Objects
from millrace.reference import Reference

# A line of the line table takes at most about 120 bytes, compressed: well below DynamoDB's 400 KB.
MAX_OUTCOMES_PER_COMMIT = 2000


@dataclass(slots=True)
class BatchResult:
    """What came of a batch."""

    retry_from: int | None = None
    """The sequence number from which Kinesis is to deliver again; None if all is committed."""
    already_committed: int = 0
    """Records at or below the watermark: an earlier attempt's work."""
    committed: int = 0
    """Records that this attempt committed."""
    commits: list[Commit] = field(default_factory=list)
    rejected: list[RejectedOutcome] = field(default_factory=list)
    error: str = ""
    """What ended the attempt early; empty if nothing did."""

    @property
    def counts(self) -> CommitCounts:
        """The counts of all commits of this batch."""
        each = [commit.head.counts for commit in self.commits]
        return CommitCounts(
            accepted=sum(counts.accepted for counts in each),
            duplicates=sum(counts.duplicates for counts in each),
            conflicts=sum(counts.conflicts for counts in each),
            quarantined=sum(counts.quarantined for counts in each),
        )


@dataclass(frozen=True, slots=True)
class Ingest:
    """The use case, over its ports."""

    checkpoints: Checkpoints
    abandonments: Abandonments
    gate: Gate
    objects: Objects
    references: MessageQueue
    clock: Clock
    limits: EventLimits
    allowed_lateness: timedelta
    logger: Logger
    new_unique: Callable[[], str]

    def ingest(
        self,
        shard: ShardKey,
        records: Sequence[StreamRecord],
        correlation_id: str,
        has_time: HasTime = always,
    ) -> BatchResult:
        """Commit what can be committed of `records` (in order of sequence number, one shard).

        When `has_time` says no, no more events are offered to the gate: what it has answered by
        then is committed, and the batch is to be retried from there.

        Raises:
            ConfigError: a right or resource is missing; nothing of the batch may be skipped.
        """
        return self._attempt(_Live(self, shard, correlation_id, has_time), records)

    def repair(
        self,
        shard: ShardKey,
        records: Sequence[StreamRecord],
        correlation_id: str,
        has_time: HasTime = always,
    ) -> BatchResult:
        """Commit those of `records`, discarded once, that no commit covers.

        The watermark passed them long ago, so it says nothing about them and is left where it is.
        What was abandoned stays so: somebody else may own its events by now.

        Raises:
            ConfigError: a right or resource is missing; nothing of the batch may be skipped.
        """
        return self._attempt(_Repair(self, shard, correlation_id, has_time), records)

    def _attempt(self, run: "_Live", records: Sequence[StreamRecord]) -> BatchResult:
        try:
            run.over(records)
        except RetryableError as err:
            # Whatever was committed will be dropped by then, so all may come again.
            self.logger.exception("batch failed", extra={"shard": str(run.shard)})
            run.result.retry_from = records[0].seq
            run.result.error = str(err)
        return run.result


class _Live:
    """One attempt at one batch from the stream."""

    def __init__(
        self, ports: Ingest, shard: ShardKey, correlation_id: str, has_time: HasTime = always
    ) -> None:
        self.ports = ports
        self.shard = shard
        self.correlation_id = correlation_id
        self.has_time = has_time
        self.result = BatchResult()

    def over(self, records: Sequence[StreamRecord]) -> None:
        """Run the protocol; raises RetryableError where the attempt cannot go on."""
        checkpoint = self.ports.checkpoints.read(self.shard)
        for body in checkpoint.pending:
            self.ports.references.send(body)
        runs = self.fresh(records, checkpoint)
        self.result.already_committed = len(records) - sum(len(run) for run in runs)
        for chunk in self._chunks(runs):
            checkpoint = self._commit(chunk, checkpoint)
            if self.result.retry_from is not None:
                break
        if checkpoint.pending:  # all sent by now
            self.ports.checkpoints.clear_pending(self.shard, checkpoint)

    def _chunks(self, runs: Sequence[Sequence[StreamRecord]]) -> Iterator[list[JudgedRecord]]:
        for run in runs:
            judged = (judge(record, self.ports.limits) for record in run)
            yield from chunks(judged, MAX_OUTCOMES_PER_COMMIT)

    def fresh(
        self, records: Sequence[StreamRecord], checkpoint: Checkpoint
    ) -> list[list[StreamRecord]]:
        """Return the runs of records to commit: here one, of all above the watermark."""
        return [[record for record in records if record.seq > checkpoint.committed_seq]]

    def watermark(self, before: Checkpoint, head: CommitHead) -> int:
        """Return how far the shard is committed with this commit."""
        del before
        return head.last_seq

    def _commit(self, chunk: Sequence[JudgedRecord], before: Checkpoint) -> Checkpoint:
        """Commit the resolvable prefix of `chunk`; return the checkpoint as it is then."""
        ports = self.ports
        holders = self._holders(claims_of(self.shard, chunk))
        prefix = committable(self.shard, chunk, holders)
        self.result.retry_from = prefix.unresolved_seq
        if not prefix.records:
            return before
        attempt = Attempt(ports.new_unique(), ports.clock.now(), self.correlation_id)
        lateness = lateness_of(prefix.lines, before.highest_ms, ports.allowed_lateness)
        prepared = prepare(self.shard, prefix, attempt, lateness.behind_ms)
        self._put_objects(prepared)
        head = prepared.commit.head
        own = (Reference.to(head).to_json(),) if head.raw_key else ()
        after = Checkpoint(
            version=before.version + 1,
            committed_seq=self.watermark(before, head),
            pending=own,  # what was pending before is sent
            highest_ms=lateness.highest_ms,
        )
        if not ports.checkpoints.commit(before, after, prepared.commit):
            raise RetryableError(f"another attempt moved the checkpoint of {self.shard} first")
        self.result.commits.append(prepared.commit)
        self.result.committed += len(prefix.records)
        self.result.rejected += prefix.rejected
        for body in own:
            ports.references.send(body)
        if after.pending and ports.checkpoints.clear_pending(self.shard, after):
            return replace(after, version=after.version + 1, pending=())
        return after

    def _holders(self, claims: Sequence[Claim]) -> Mapping[bytes, Holder]:
        """Pass the gate; whoever holds a key from a range that is gone for good is replaced."""
        holders = self.ports.gate.claim(claims, self.has_time)
        mine = {claim.owner for claim in claims}
        if all(holder.owner in mine for holder in holders.values()):
            return holders  # as most batches are: nothing to ask for
        lost = takeovers_of(claims, holders, self.abandoned.hold)
        if not lost:
            return holders
        taken = self.ports.gate.take_over(lost, self.has_time)
        # Who was not replaced may hold the key no more: unresolved, the retry reads anew.
        unsure = {each.claim.gate_key for each in lost}
        return {k: holder for k, holder in holders.items() if k not in unsure} | dict(taken)

    @cached_property
    def abandoned(self) -> AbandonedRanges:
        """What was gone for good when this attempt first asked, after it read the checkpoint."""
        return AbandonedRanges(self.ports.abandonments.abandoned())

    def _put_objects(self, prepared: PreparedCommit) -> None:
        head = prepared.commit.head
        for key, body in (
            (head.raw_key, prepared.raw.body),
            (head.quarantine_key, prepared.quarantine),
        ):
            if key is not None:
                self.ports.objects.put_new(key, body)


class _Repair(_Live):
    """One attempt at records that were discarded: commit rows decide, not the watermark."""

    def fresh(
        self,
        records: Sequence[StreamRecord],
        checkpoint: Checkpoint,  # noqa: ARG002 - the live run's business
    ) -> list[list[StreamRecord]]:
        """Return the runs that no commit covers, cut where one lies between: rows never overlap."""
        within = SeqRange(records[0].seq, records[-1].seq)
        gone = self.abandoned.of(str(self.shard))
        covered = self.ports.checkpoints.covered(self.shard, within)
        return uncovered_runs(records, sorted([*covered, *gone]))

    def watermark(self, before: Checkpoint, head: CommitHead) -> int:
        """Return the watermark as it was: later records moved it."""
        del head
        return before.committed_seq
