"""Ingest's stories for the crash harness: everything a batch can hold, broken and mended."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import md5
from typing import Any
from uuid import uuid4

import orjson
from aws_lambda_powertools import Logger

from ingest.adapters.gate import DynamoGate
from ingest.domain.decoding import KPL_MAGIC
from ingest.domain.records import StreamRecord
from ingest.kpl.aggregated_record_pb2 import AggregatedRecord
from ingest.repairs import Repairs
from ingest.service import Ingest
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.clock import SystemClock
from millrace.commit import SeqRange, ShardKey
from millrace.discarded.abandoning import Abandoning, NothingToAbandon
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace.discarded.request import Action, DiscardedAnswer, DiscardedRequest
from millrace.errors import RetryableError
from millrace.event import EventLimits
from millrace.raw_lines import unpack
from millrace.reference import Reference
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, event_bytes, kinesis_event
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.wire import Wire
from millrace_testing.discards import discarded_batch
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import COMMITS, GATE, create_table
from watch.service import Watch

QUIET = Logger(service="crash-points", level="CRITICAL")


@dataclass
class Clients:
    """One process's clients: what a crash takes with it."""

    dynamodb: Any
    s3: Any
    sqs: Any
    commits: str = "commits"
    gate: str = "gate"
    bucket: str = "data"

    @classmethod
    def of(cls, endpoint: str, wire: Wire | None = None) -> "Clients":
        """Return clients of the engine at `endpoint`, routed through `wire` if there is one."""
        return cls(*clients_on(endpoint, "dynamodb", "s3", "sqs", wire=wire))

    def use_own_resources(self) -> None:
        """Create tables and a bucket that nothing else uses, and use them."""
        suffix = uuid4().hex[:8]
        self.commits, self.gate = f"commits-{suffix}", f"gate-{suffix}"
        self.bucket = f"data-{suffix}"
        create_table(self.dynamodb, self.commits, COMMITS)
        create_table(self.dynamodb, self.gate, GATE)
        self.s3.create_bucket(Bucket=self.bucket)

    def beside(self, other: "Clients") -> "Clients":
        """Return these clients on the tables and in the bucket of others."""
        return replace(self, commits=other.commits, gate=other.gate, bucket=other.bucket)


@dataclass(frozen=True)
class Seen:
    """What readers of the ledger see of one shard, whatever the commits' boundaries."""

    accepted: tuple[str, ...]
    duplicates: tuple[tuple[int, int, str], ...]
    quarantined: tuple[tuple[str, int, str], ...]
    received: int
    torn: tuple[int, ...]
    """Commits whose raw object holds other lines than their line table."""
    unsent: tuple[int, ...]
    dangling: tuple[int, ...]
    pending: int


Cuts = Callable[[Sequence[StreamRecord]], Iterable[Sequence[StreamRecord]]]
REDELIVERIES: dict[str, Cuts] = {
    "whole": lambda records: [records],
    "bisected": lambda records: [records[: len(records) // 2], records[len(records) // 2 :]],
    "one by one": lambda records: [[record] for record in records],
}


@dataclass(frozen=True)
class Stage:
    """Where stories play: the attempt's clients, the retry's, and ones that never fail.

    `ledger` is the class under test: a mutation check puts a broken one there.
    """

    attempt: Clients
    retry: Clients
    clean: Clients
    cuts: Cuts = REDELIVERIES["whole"]
    ledger: type[DynamoLedger] = DynamoLedger


class IngestStory:
    """A batch with everything in it, met by a fault, redelivered with other boundaries.

    The redelivery holds later records too. No further batch comes to the shard: what a crash left
    pending after that is watch's to send.
    """

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.source = f"s{uuid4().hex[:12]}"
        self.shard = ShardKey(uuid4().hex[:8], "shardId-000000000000")
        self.queue_url = stage.clean.sqs.create_queue(QueueName=self.source)["QueueUrl"]
        before = self.records([self.event(1), self.event(2)], 100)
        self.ingest_on(stage.clean).ingest(self.shard, before, "before")
        self.batch = self.records(
            [
                self.event(3),
                self.event(1),  # a duplicate of an earlier commit
                b"not json",
                self.aggregate(self.event(4), b"[]", self.event(5), self.event(3)),
                self.event(4, payload={"other": True}),  # a conflict inside the batch
                self.event(6),
            ],
            102,
        )
        self.later = self.records([self.event(6), self.event(7)], 108)

    def attempt(self) -> None:
        """Run the attempt that meets the first fault."""
        self.ingest_on(self.stage.attempt).ingest(self.shard, self.batch, "attempt")

    def retry(self) -> None:
        """Run the redelivery that meets the second fault."""
        self.deliver(self.stage.retry, self.stage.cuts(self.batch + self.later), rounds=1)

    def recover(self) -> None:
        """Redeliver until all is committed, as the event source mapping does; then watch looks."""
        self.deliver(self.stage.clean, self.stage.cuts(self.batch + self.later), rounds=10)
        self.watch_on(self.stage.clean).look()

    def observe(self) -> Seen:
        """Return what readers see of the shard."""
        return Reader(self.stage.clean, self.shard, self.queue_url).seen()

    def deliver(
        self, clients: Clients, batches: Iterable[Sequence[StreamRecord]], rounds: int
    ) -> None:
        """Deliver batch after batch, each again from its first unresolved record."""
        service = self.ingest_on(clients)
        for batch in batches:
            rest = batch
            for _ in range(rounds):
                result = service.ingest(self.shard, rest, "retry")
                if result.retry_from is None:
                    break
                rest = [record for record in rest if record.seq >= result.retry_from]
            else:
                raise AssertionError(f"not delivered in {rounds} rounds")

    def ingest_on(self, clients: Clients) -> Ingest:
        """Return the service on these clients."""
        return Ingest(
            checkpoints=self.stage.ledger(clients.dynamodb, clients.commits),
            abandonments=DynamoDiscards(clients.dynamodb, clients.commits),
            gate=DynamoGate(clients.dynamodb, clients.gate, timedelta(days=30), max_wait_s=0.005),
            objects=S3Objects(clients.s3, clients.bucket),
            references=SqsQueue(clients.sqs, self.queue_url),
            clock=SystemClock(),
            limits=EventLimits(),
            allowed_lateness=timedelta(hours=1),
            logger=QUIET,
            new_unique=lambda: uuid4().hex,
        )

    def watch_on(self, clients: Clients) -> Watch:
        """Return the sweeper on these clients; everything that waits is overdue to it."""
        return Watch(
            ledger=self.stage.ledger(clients.dynamodb, clients.commits),
            discards=DynamoDiscards(clients.dynamodb, clients.commits),
            references=SqsQueue(clients.sqs, self.queue_url),
            stream=_OneShard(self.shard.shard_id),
            clock=SystemClock(),
            overdue_after=timedelta(seconds=-1),
            incarnation=self.shard.incarnation,
            logger=QUIET,
        )

    def event(self, number: int, **fields: object) -> bytes:
        """Return an event of this story alone."""
        return event_bytes(number, source=self.source, **fields)

    @staticmethod
    def aggregate(*datas: bytes) -> bytes:
        """Return a KPL record."""
        message = AggregatedRecord(partition_key_table=["key"])
        for data in datas:
            message.records.add(partition_key_index=0, data=data)
        body = message.SerializeToString()
        return KPL_MAGIC + body + md5(body, usedforsecurity=False).digest()

    @staticmethod
    def records(datas: Sequence[bytes], first_seq: int) -> list[StreamRecord]:
        """Return one record for each of `datas`."""
        arrival = to_epoch_ms(ARRIVAL)
        return [StreamRecord(first_seq + n, arrival, data) for n, data in enumerate(datas)]


class RepairStory(IngestStory):
    """The same batch, given up after its failure; later work moved the watermark; then repair."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        # No event of the batch again: which copy counts would depend on when the batch failed.
        self.later = self.records([self.event(7), self.event(8)], 108)

    def recover(self) -> None:
        """Go on behind the batch that was given up, then repair it twice, then watch looks."""
        self.deliver(self.stage.clean, [self.later], rounds=1)
        for _ in range(2):
            for part in self.stage.cuts(self.batch):
                result = self.ingest_on(self.stage.clean).repair(self.shard, part, "repair")
                assert result.retry_from is None
        self.watch_on(self.stage.clean).look()


@dataclass(frozen=True)
class SeenClosed:
    """What readers see, and how the batch that was given up ended."""

    seen: Seen
    state: str


class DiscardedStory(IngestStory):
    """The batch passed the gate and failed behind it; it was given up, and later work went on.

    Its repair as the function does it, from the payload, is what breaks.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.later = self.records([self.event(7), self.event(8)], 108)
        self.given_up = self.discard()
        self.deliver(stage.clean, [self.later], rounds=1)

    def discard(self) -> DiscardedBatch:
        """Have the batch fail behind the gate; keep its payload and the note of it."""
        failing: Any = _Down()
        failed = replace(self.ingest_on(self.stage.clean), objects=failing)
        assert failed.ingest(self.shard, self.batch, "failed").retry_from == 102
        clean, key = self.stage.clean, f"aws/lambda/{uuid4().hex}"
        datas = [record.data for record in self.batch]
        event = kinesis_event(datas, first_seq=self.batch[0].seq)
        document = orjson.dumps({"payload": orjson.dumps(event).decode()})
        S3Objects(clean.s3, clean.bucket).put_new(key, document)
        first, last = self.batch[0].seq, self.batch[-1].seq
        batch = discarded_batch(first, last, self.shard, key)
        assert DynamoDiscards(clean.dynamodb, clean.commits).note(batch)
        return batch

    def attempt(self) -> None:
        """Run the repair that meets the first fault."""
        self.repair_on(self.stage.attempt)

    def retry(self) -> None:
        """Run the repair that meets the second fault."""
        self.repair_on(self.stage.retry)

    def recover(self) -> None:
        """Repair until it is done, as the command does, and once more; then watch looks."""
        for _ in range(10):
            if self.repair_on(self.stage.clean).done:
                break
        assert self.repair_on(self.stage.clean).committed == 0
        self.watch_on(self.stage.clean).look()

    def observe(self) -> SeenClosed:  # type: ignore[override] - what this story shows besides
        """Return what readers see of the shard, and of the batch."""
        clean = self.stage.clean
        there = DynamoDiscards(clean.dynamodb, clean.commits).find(self.shard, self.given_up.range)
        assert there is not None
        return SeenClosed(super().observe(), there.state.value)

    def repair_on(self, clients: Clients) -> DiscardedAnswer:
        """Repair with these clients, as the function does."""
        discards = DynamoDiscards(clients.dynamodb, clients.commits)
        repairs = Repairs(
            ingest=self.ingest_on(clients),
            discards=discards,
            abandonments=discards,
            payloads=S3Objects(clients.s3, clients.bucket),
            stream=_NoStream(),
            incarnation=self.shard.incarnation,
            clock=FixedClock(ARRIVAL),
            horizon=timedelta(days=30),
        )
        request = DiscardedRequest.about(Action.REPAIR, self.given_up)
        return repairs.run(request, "repair").answer

    def abandon_on(self, clients: Clients) -> None:
        """Give the batch up for good with these clients."""
        discards = DynamoDiscards(clients.dynamodb, clients.commits)
        ledger = self.stage.ledger(clients.dynamodb, clients.commits)
        closing = Closing(State.ABANDONED, ARRIVAL, "ada", "gone")
        with suppress(NothingToAbandon):  # done before
            Abandoning(ledger, discards, discards).abandon(self.given_up, closing)


class AbandonStory(DiscardedStory):
    """The same batch, given up for good: that is what breaks; then it is sent again elsewhere."""

    def attempt(self) -> None:
        """Abandon it and meet the first fault."""
        self.abandon_on(self.stage.attempt)

    def retry(self) -> None:
        """Abandon it again and meet the second fault."""
        self.abandon_on(self.stage.retry)

    def recover(self) -> None:
        """Abandon it, unless it was repaired; send it again on another shard, repair it in vain."""
        clean = self.stage.clean
        self.abandon_on(clean)
        elsewhere = ShardKey(self.shard.incarnation, "shardId-000000000001")
        resend = self.records([record.data for record in self.batch], 500)
        assert self.ingest_on(clean).ingest(elsewhere, resend, "resend").retry_from is None
        self.repair_on(clean)
        self.watch_on(clean).look()

    def observe(self) -> Any:
        """Return each event that is accepted, on both shards together."""
        clean = self.stage.clean
        elsewhere = ShardKey(self.shard.incarnation, "shardId-000000000001")
        seen = [Reader(clean, shard, self.queue_url).seen() for shard in (self.shard, elsewhere)]
        accepted = tuple(sorted(event for each in seen for event in each.accepted))
        return accepted, tuple(each.torn for each in seen), seen[0].pending


class RacedAbandonStory(AbandonStory):
    """A repair that breaks or stops under way, while the batch is given up for good."""

    def attempt(self) -> None:
        """Run the repair that meets the first fault."""
        self.repair_on(self.stage.attempt)


class ResendStory(DiscardedStory):
    """The batch was given up for good; its resend on another shard is what breaks."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.abandon_on(stage.clean)
        self.shard = ShardKey(self.shard.incarnation, "shardId-000000000001")
        self.batch = self.records([record.data for record in self.batch], 502)
        self.later = self.records([self.event(6), self.event(9)], 508)

    attempt = IngestStory.attempt
    retry = IngestStory.retry
    recover = IngestStory.recover
    observe = IngestStory.observe  # type: ignore[assignment] - the batch was closed before


class WatchStory(IngestStory):
    """A commit whose reference was never sent, and a watch that breaks while it sends it."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        unsent = replace(self.ingest_on(stage.clean), references=_Down())
        unsent.ingest(self.shard, self.batch, "unsent")

    def attempt(self) -> None:
        """Run the look that meets the first fault."""
        self.watch_on(self.stage.attempt).look()

    def retry(self) -> None:
        """Run the look that meets the second fault."""
        self.watch_on(self.stage.retry).look()

    def recover(self) -> None:
        """Look again, a minute later."""
        self.watch_on(self.stage.clean).look()


class _NoStream:
    """A stream that holds nothing any more."""

    def records(self, shard_id: str, within: SeqRange) -> list[StreamRecord]:
        del shard_id, within
        return []


class _Down:
    """A queue or a bucket that cannot be reached."""

    def put_new(self, key: str, body: bytes) -> bool:
        raise RetryableError(f"not stored: {key}, {len(body)} bytes")

    def send(self, body: str) -> None:
        raise RetryableError(f"not sent: {len(body)} characters")


@dataclass(frozen=True)
class _OneShard:
    """A stream with one shard."""

    shard_id: str

    def shard_ids(self) -> list[str]:
        return [self.shard_id]


@dataclass(frozen=True)
class Reader:
    """Reads a shard as every consumer does: from its commit rows."""

    clients: Clients
    shard: ShardKey
    queue_url: str

    def seen(self) -> Seen:
        """Return everything there is to see."""
        ledger = DynamoLedger(self.clients.dynamodb, self.clients.commits)
        heads = list(ledger.heads(self.shard))
        accepted: list[str] = []
        duplicates: list[tuple[int, int, str]] = []
        torn: list[int] = []
        for head in heads:
            entries = ledger.load(self.shard, head.first_seq).body.lines
            lines = self._lines(head.raw_key)
            if len(lines) != len(entries):
                torn.append(head.first_seq)
                continue
            for line, entry in zip(lines, entries, strict=True):
                owner = entry.duplicate_of
                if owner is None:
                    accepted.append(orjson.loads(line)["event_id"])
                else:
                    of = f"{owner.seq}|{owner.position} {entry.conflict}"
                    duplicates.append((entry.seq, entry.position, of))
        quarantined = [
            (row["sequence"], row["position"], row["reason"])
            for head in heads
            for row in map(orjson.loads, self._lines(head.quarantine_key))
        ]
        committed = {head.first_seq for head in heads if head.raw_key}
        referenced = self._referenced()
        return Seen(
            accepted=tuple(sorted(accepted)),
            duplicates=tuple(sorted(duplicates)),
            quarantined=tuple(sorted(quarantined)),
            received=sum(head.counts.received for head in heads),
            torn=tuple(torn),
            unsent=tuple(sorted(committed - referenced)),
            dangling=tuple(sorted(referenced - committed)),
            pending=len(ledger.read(self.shard).pending),
        )

    def _lines(self, key: str | None) -> list[bytes]:
        return unpack(S3Objects(self.clients.s3, self.clients.bucket).get(key)) if key else []

    def _referenced(self) -> set[int]:
        seen: set[int] = set()
        while messages := self.clients.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=600
        ).get("Messages"):
            seen |= {Reference.parse(message["Body"]).first_seq for message in messages}
        return seen
