"""One turn of the worker: send a replay's messages from its checkpoint on, until time is up.

Every checkpoint and every action of a person moves the replay's `step`, and the worker writes only
over the step that it read. So a pause, a cancel or a second worker (SQS delivers twice) ends this
one at its next checkpoint; what was sent since the last checkpoint is sent again by whoever goes
on, and the processor counts it once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import islice

from aws_lambda_powertools import Logger

from millrace.clock import Clock
from millrace.errors import ObjectMissing
from millrace.ports import Objects
from millrace.raw_lines import unpack
from millrace.replay.errors import PlanBroken, UnknownReplay
from millrace.replay.operations import Operations, work_body
from millrace.replay.plan import Chunk, Plan
from millrace.replay.planned import PlannedEvent
from millrace.replay.record import Action, AuditEntry, Cursor, Replay, ReplayState, moved
from millrace.times import whole_ms
from replay.domain import Bounds, Pace, room
from replay.ports import Destination, Stopwatch, Surroundings, Wake, WorkerLedger

WORKER = "worker"
_LOOK_EVERY_S = 2.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn did."""

    sent: int
    state: ReplayState
    goes_on: bool
    """The worker has woken itself for the next turn."""


class _Overtaken(Exception):
    """Somebody else has moved the replay: a person, or another worker. It is theirs now."""

    def __init__(self, replay: Replay) -> None:
        super().__init__(replay.replay_id)
        self.replay = replay


@dataclass(frozen=True, slots=True)
class Worker:
    """The use case, over its ports."""

    ledger: WorkerLedger
    objects: Objects
    destination: Callable[[Replay], Destination]
    surroundings: Surroundings
    wake: Wake
    operations: Operations
    clock: Clock
    stopwatch: Stopwatch
    bounds: Bounds
    bucket: str
    look_again_s: int
    logger: Logger

    def turn(self, replay_id: str, until_s: float) -> Turn:
        """Send for at most `until_s`, then wake the next turn, or finish.

        Where the plan cannot be read any more the replay has failed: nothing more is sent.

        Raises:
            UnknownReplay: there is no such replay.
            ConfigError, RetryableError: the same turn may succeed later, from the checkpoint.
        """
        found = self.ledger.replay(replay_id)
        try:
            replay, goes_on = self._taken_on(found, until_s)
        except _Overtaken as by:
            self.logger.warning("replay moved by another", extra={"replay_id": replay_id})
            replay, goes_on = by.replay, False
        except PlanBroken as err:
            self.logger.exception("replay failed", extra={"replay_id": replay_id})
            replay, goes_on = self._failed(replay_id, str(err)), False
        return Turn(replay.cursor.sent - found.cursor.sent, replay.state, goes_on=goes_on)

    def _taken_on(self, replay: Replay, until_s: float) -> tuple[Replay, bool]:
        if replay.state is ReplayState.RUNNING:
            replay = self._send(replay, until_s)
        if replay.state is ReplayState.RUNNING:
            self.wake.send(work_body(replay.replay_id))
            return replay, True
        if replay.state is ReplayState.SENT:
            return self._finished(replay)
        return replay, False

    def _send(self, replay: Replay, until_s: float) -> Replay:
        """Return the replay as this turn leaves it: sent, or with its cursor moved on."""
        started = looked = self.stopwatch.elapsed_s()
        pace, left = self._looked(Pace.of(replay.rate, replay.current_rate), replay)
        destination = self.destination(replay)
        events = self._events_from(replay)
        while (now := self.stopwatch.elapsed_s()) - started < until_s:
            if now - looked >= _LOOK_EVERY_S:
                looked, (pace, left) = now, self._looked(pace, replay)
            if not left:
                replay = self._moved(replay, replay.cursor, pace.held(), ReplayState.RUNNING)
                self.stopwatch.wait(min(_LOOK_EVERY_S, until_s))
                continue
            messages = list(islice(events, min(pace.round_size, left)))
            if not messages:
                return self._moved(replay, replay.cursor, pace, ReplayState.SENT)
            destination.send_all([body for body, _ in messages])
            left -= len(messages)
            _, cursor = messages[-1]
            replay = self._moved(replay, cursor, pace, ReplayState.RUNNING)
            took_s = self.stopwatch.elapsed_s() - now
            self.stopwatch.wait(min(pace.wait_s(len(messages), took_s), until_s))
        return replay

    def _looked(self, pace: Pace, replay: Replay) -> tuple[Pace, int]:
        """Return the pace to go on at, and how many messages may be sent until the next look."""
        signs = self.surroundings.signs(replay)
        return pace.after(self.bounds.reason(signs)), room(self.bounds, signs)

    def _events_from(self, replay: Replay) -> Iterator[tuple[str, Cursor]]:
        """Yield each message's body from the cursor on, and the cursor behind it."""
        at, plan = replay.cursor, self._plan(replay)
        sent = at.sent
        for number, chunk in enumerate(plan.chunks[at.chunk :], start=at.chunk):
            first = at.message if number == at.chunk else 0
            for place, line in enumerate(self._lines(chunk)[first:], start=first):
                sent += 1
                event = PlannedEvent.from_line(line)
                message = event.message(self.bucket, replay.replay_id, replay.version)
                yield message.to_json(), Cursor(number, place + 1, sent)

    def _plan(self, replay: Replay) -> Plan:
        try:
            return self.ledger.plan(replay.plan_id)
        except UnknownReplay as err:
            raise PlanBroken(f"{err} any more; make a new plan") from err

    def _lines(self, chunk: Chunk) -> list[bytes]:
        try:
            body = self.objects.get(chunk.key)
        except ObjectMissing as err:
            raise PlanBroken(f"{chunk.key} of the plan is gone; make a new plan") from err
        if sha256(body).hexdigest() != chunk.sha256:
            raise PlanBroken(f"{chunk.key} is not the object that was planned; make a new plan")
        return unpack(body)

    def _moved(self, before: Replay, cursor: Cursor, pace: Pace, state: ReplayState) -> Replay:
        """Write the checkpoint and return the replay as it then is."""
        after = replace(
            before,
            cursor=cursor,
            state=state,
            step=before.step + 1,
            current_rate=float(round(pace.now)),  # as the ledger keeps it, like the time
            slowed_because=pace.because,
            updated_at=whole_ms(self.clock.now()),
        )
        self._advance(before, after)
        return after

    def _finished(self, replay: Replay) -> tuple[Replay, bool]:
        """Complete the replay once every event is counted or skipped; else look again later."""
        result = "all sent; who counts them is not known here"
        if replay.queue_url == self.operations.queue_url:
            status = self.operations.status(replay.replay_id)
            if not status.settled:
                self.wake.send(work_body(replay.replay_id), delay_s=self.look_again_s)
                return replay, True
            result = f"{status.progress.counted} counted, {status.progress.skipped} skipped"
        now = whole_ms(self.clock.now())
        done = replace(replay, state=ReplayState.COMPLETED, step=replay.step + 1, updated_at=now)
        self._advance(replay, done, AuditEntry(now, WORKER, Action.COMPLETE, "", result))
        return done, False

    def _failed(self, replay_id: str, why: str) -> Replay:
        """Note that it failed, unless somebody moved it; return the replay as it then is."""
        found, now = self.ledger.replay(replay_id), whole_ms(self.clock.now())
        if found.state is not ReplayState.RUNNING:
            return found
        failed = replace(
            found,
            state=moved(found.state, Action.FAIL),
            step=found.step + 1,
            updated_at=now,
            failed_because=why,
        )
        entry = AuditEntry(now, WORKER, Action.FAIL, "", why)
        try:
            self._advance(found, failed, entry)
        except _Overtaken as by:
            return by.replay
        return failed

    def _advance(self, before: Replay, after: Replay, audit: AuditEntry | None = None) -> None:
        """Write `after` over `before`.

        Raises:
            _Overtaken: somebody else wrote since; a lost answer to this very write is none.
        """
        if self.ledger.advance(before, after, audit):
            return
        found = self.ledger.replay(before.replay_id)
        if found != after:
            raise _Overtaken(found)
