"""Batches that the stream's mapping gave up: what is left of each, and giving it up for good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from millrace.aws.batch_deadlines import BatchDeadlines
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.clock import SystemClock
from millrace.discarded.abandoning import Abandoning
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace.discarded.deadline import Deadline, Source
from millrace.errors import MillraceError
from millrace.times import format_ms
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class Failure:
    """A discarded batch and what is left to do about it."""

    batch: DiscardedBatch
    deadline: Deadline
    covered: int = 0
    """Commits that hold some of it."""

    @property
    def state(self) -> str:
        """The batch's state, in the words of whoever has to act."""
        if self.batch.state is not State.OPEN:
            return self.batch.state.value
        if self.deadline.source is Source.NOWHERE:
            return "expired"
        return "partly covered" if self.covered else "open"

    def left(self, now: datetime) -> timedelta:
        """Return the time left to repair it."""
        return self.deadline.left(now)

    def as_dict(self, now: datetime) -> dict[str, Any]:
        """Return the failure for JSON."""
        batch, closing = self.batch, self.batch.closing
        return {
            "id": batch.batch_id,
            "state": self.state,
            "shard": batch.shard.shard_id,
            "first_sequence": str(batch.range.first),
            "last_sequence": str(batch.range.last),
            "records": batch.records,
            "first_arrival": format_ms(batch.first_arrival),
            "last_arrival": format_ms(batch.last_arrival),
            "discarded_at": format_ms(batch.discarded_at),
            "condition": batch.condition,
            "attempts": batch.attempts,
            "error": batch.error,
            "request_id": batch.request_id,
            "source": self.deadline.source.value,
            "repairable_until": format_ms(self.deadline.until),
            "left_s": int(self.left(now).total_seconds()),
            "payload_key": batch.payload_key,
            "closed": None
            if closing is None
            else {"at": format_ms(closing.at), "who": closing.who, "reason": closing.reason},
        }


class Failures:
    """The discarded batches of one environment."""

    def __init__(self, environment: Environment) -> None:
        outputs = environment.outputs
        self._outputs = outputs
        self._deadlines = BatchDeadlines(
            environment.clients.kinesis(),
            environment.clients.s3(),
            outputs.stream_arn,
            outputs.stream_incarnation,
            outputs.data_bucket,
            timedelta(days=outputs.repair_days),
        )
        dynamodb = environment.clients.dynamodb()
        self._ledger = DynamoLedger(dynamodb, outputs.tables.commits)
        self._discards = DynamoDiscards(dynamodb, outputs.tables.commits)
        self._clock = SystemClock()

    def now(self) -> datetime:
        """Return the time by which deadlines are judged."""
        return self._clock.now()

    def listed(self, *, closed: bool = False) -> list[Failure]:
        """Return what is open, or everything, what is most urgent first.

        Raises:
            CommandError: AWS cannot be asked.
        """
        with explained("read the discarded batches"):
            found = self._known() if closed else self._discards.open()
            ranked = self._deadlines.of(found, self.now())
            return [self._failure(batch, deadline) for batch, deadline in ranked]

    def _known(self) -> list[DiscardedBatch]:
        """Return all of the stream, and what is open of one that was there before it."""
        incarnation = self._outputs.stream_incarnation
        before = [each for each in self._discards.open() if each.shard.incarnation != incarnation]
        return [*self._discards.known(incarnation), *before]

    def chosen(self, ids: Iterable[str]) -> list[Failure]:
        """Return the batches with these ids, open or not, what is most urgent first.

        Raises:
            CommandError: an id is unknown; names it.
        """
        wanted = set(ids)
        found = [each for each in self.listed(closed=True) if each.batch.batch_id in wanted]
        if unknown := wanted - {each.batch.batch_id for each in found}:
            raise CommandError(
                f"there is no discarded batch {', '.join(sorted(unknown))}",
                "`millrace failures list --all` names them all",
                ExitCode.USAGE,
            )
        return found

    def holes(self, failure: Failure) -> Sequence[Any]:
        """Return the ranges that abandoning would give up."""
        with explained("look for what is in no commit"):
            return self._abandoning().holes(failure.batch)

    def abandon(self, failure: Failure, who: str, reason: str) -> int:
        """Give up for good what no commit holds; return the number of ranges.

        Raises:
            CommandError: there is nothing left to give up, or AWS cannot be asked.
        """
        closing = Closing(State.ABANDONED, self.now(), who, reason)
        try:
            with explained(f"abandon {failure.batch.batch_id}"):
                return len(self._abandoning().abandon(failure.batch, closing))
        except MillraceError as err:
            raise CommandError(str(err)) from err

    def _abandoning(self) -> Abandoning:
        return Abandoning(self._ledger, self._discards, self._discards)

    def _failure(self, batch: DiscardedBatch, deadline: Deadline) -> Failure:
        covered = 0
        if batch.state is State.OPEN:
            covered = len(self._ledger.covered(batch.shard, batch.range))
        return Failure(batch, deadline, covered)
