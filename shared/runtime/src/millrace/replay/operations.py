"""What a person does with replays: apply a plan, pause, resume, cancel, look at one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from millrace.aggregates import Version
from millrace.clock import Clock
from millrace.errors import RetryableError
from millrace.ports import MessageQueue
from millrace.replay.errors import InvalidRequest
from millrace.replay.plan import Plan
from millrace.replay.ports import ReplayLedger
from millrace.replay.progress import Progress, SkippedEvent, progress_of
from millrace.replay.record import Action, AuditEntry, Replay, ReplayState, moved
from millrace.times import whole_ms

DEFAULT_RATE = 1_000
MAX_RATE = 10_000
_VERSION_TRIES = 100
_MOVE_TRIES = 20


@dataclass(frozen=True, slots=True)
class Order:
    """How a plan is to be applied, by whom and why."""

    who: str
    reason: str
    rate: int
    dry_run: bool = False
    again: bool = False
    """Apply a plan that was applied before, into a version of its own."""


@dataclass(frozen=True, slots=True)
class ReplayStatus:
    """Where a replay stands, what became of its events, and its audit."""

    replay: Replay
    progress: Progress
    skipped: Sequence[SkippedEvent]
    audit: Sequence[AuditEntry]

    @property
    def settled(self) -> bool:
        """Every event is counted (of a dry run: enriched) or skipped."""
        done = self.progress.enriched if self.replay.dry_run else self.progress.counted
        return done + self.progress.skipped >= self.replay.messages


@dataclass(frozen=True, slots=True)
class Operations:
    """The use cases, over their ports."""

    ledger: ReplayLedger
    work: MessageQueue
    """Wakes the worker."""
    queue_url: str
    """Where messages go unless a plan's target says otherwise."""
    clock: Clock
    reason_required: bool = True

    def apply(self, plan_id: str, order: Order, queue_url: str | None = None) -> Replay:
        """Start the replay of a plan; one that was applied before is returned as it is.

        Applying twice by mistake does nothing but wake the worker, which is also how an apply
        that died in the middle is finished. A dry run is no application of the plan, and the
        pipeline's queue is not one of the user's own: each is applied beside the other.

        Raises:
            UnknownReplay: there is no such plan.
            InvalidRequest: the order lacks a reason, or its rate is out of bounds.
        """
        self._check(order.reason)
        if not 1 <= order.rate <= MAX_RATE:
            raise InvalidRequest("rate", f"is {order.rate}; 1 to {MAX_RATE} messages a second")
        plan = self.ledger.plan(plan_id)
        target = queue_url or self.queue_url
        earlier = None if order.again else self._applied(plan_id, order, target)
        replay = earlier or self._start(plan, order, target)
        if replay.state in {ReplayState.RUNNING, ReplayState.SENT}:
            self.wake(replay.replay_id)
        return replay

    def _applied(self, plan_id: str, order: Order, queue_url: str) -> Replay | None:
        earlier = map(self.ledger.replay, self.ledger.replays_of_plan(plan_id))
        standing = [
            each
            for each in earlier
            if each.state is not ReplayState.CANCELLED
            and (each.dry_run, each.queue_url) == (order.dry_run, queue_url)
        ]
        return standing[-1] if standing else None

    def _start(self, plan: Plan, order: Order, queue_url: str) -> Replay:
        """Start it under the first free version from now on: two may start in one second."""
        second = int(self.clock.now().timestamp())
        for version in (Version(str(second + later)) for later in range(_VERSION_TRIES)):
            replay = self._new(version, plan, order, queue_url)
            if not self.ledger.reserve_version(version, replay.replay_id):
                continue
            there = self._started(replay, order)
            if there is not None:
                return there
        raise RetryableError(f"no free version within {_VERSION_TRIES} s of {second}")

    def _started(self, replay: Replay, order: Order) -> Replay | None:
        """Start it; return the replay that stands then, None if its version is another one's.

        Two orders at once find nothing that was applied before, each of them; only one of them
        starts, and the other one is told of it.
        """
        audit = _audit_of(replay)
        if order.again:
            if self.ledger.start(replay, audit, beside=True):
                return replay
            there = self.ledger.replay(replay.replay_id)  # of the same plan, in the same second
            return there if there.started_at == replay.started_at else None  # an answer got lost
        over = self.ledger.applied_by(
            replay.plan_id, dry_run=replay.dry_run, queue_url=replay.queue_url
        )  # read before what stands: if nothing does, this one was cancelled
        standing = self._applied(replay.plan_id, order, replay.queue_url)
        if standing is None and self.ledger.start(replay, audit, beside=False, over=over):
            return replay
        return standing or self._applied(replay.plan_id, order, replay.queue_url)

    def _new(self, version: Version, plan: Plan, order: Order, queue_url: str) -> Replay:
        now = whole_ms(self.clock.now())
        return Replay(
            replay_id=f"{version}-{plan.plan_id.rpartition('-')[2]}",
            plan_id=plan.plan_id,
            plan_hash=plan.plan_hash,
            version=version,
            defs_version=plan.defs_version,
            state=ReplayState.RUNNING,
            dry_run=order.dry_run,
            rate=order.rate,
            messages=plan.messages,
            queue_url=queue_url,
            started_by=order.who,
            started_at=now,
            reason=order.reason,
            updated_at=now,
            current_rate=order.rate,
        )

    def _check(self, reason: str) -> None:
        if self.reason_required and not reason.strip():
            raise InvalidRequest("reason", "is empty; say why, it is kept in the audit")

    def pause(self, replay_id: str, who: str, reason: str) -> Replay:
        """Stop sending; the processor finishes what it has.

        Raises:
            UnknownReplay, InvalidMove: there is none, or it is not running.
            InvalidRequest: no reason is given; so it is with resume and cancel.
        """
        return self._move(replay_id, Action.PAUSE, who, reason)

    def resume(self, replay_id: str, who: str, reason: str) -> Replay:
        """Go on from the last checkpoint, also where a worker died for good.

        Raises:
            UnknownReplay, InvalidMove: there is none, or it is neither paused, failed nor running.
        """
        replay = self._move(replay_id, Action.RESUME, who, reason)
        self.wake(replay_id)
        return replay

    def cancel(self, replay_id: str, who: str, reason: str) -> Replay:
        """End it for good: nothing more is sent, and what is in the queue has no effect.

        Raises:
            UnknownReplay, InvalidMove: there is none, or it has ended.
        """
        return self._move(replay_id, Action.CANCEL, who, reason)

    def _move(self, replay_id: str, action: Action, who: str, reason: str) -> Replay:
        self._check(reason)
        for _ in range(_MOVE_TRIES):  # the worker's checkpoints move the step, too
            before = self.ledger.replay(replay_id)
            now = self.clock.now()
            after = replace(
                before,
                state=moved(before.state, action),
                step=before.step + 1,
                updated_at=now,
                failed_because="",
            )
            result = f"{before.cursor.sent} of {before.messages} messages sent"
            if self.ledger.advance(before, after, AuditEntry(now, who, action, reason, result)):
                return after
        raise RetryableError(f"replay {replay_id} changed {_MOVE_TRIES} times meanwhile; try again")

    def wake(self, replay_id: str) -> None:
        """Have the worker look at a replay; once too often is harmless."""
        self.work.send(work_body(replay_id))

    def status(self, replay_id: str) -> ReplayStatus:
        """Return where a replay stands.

        Raises:
            UnknownReplay: there is none.
        """
        replay = self.ledger.replay(replay_id)
        skipped = list(self.ledger.skipped(replay_id))
        progress = progress_of(self.ledger.objects(replay_id), skipped)
        return ReplayStatus(replay, progress, skipped, self.ledger.audit(replay_id))


def _audit_of(new: Replay) -> AuditEntry:
    result = f"{new.messages} messages at {new.rate}/s into version {new.version}"
    return AuditEntry(new.started_at, new.started_by, Action.APPLY, new.reason, result)


def work_body(replay_id: str) -> str:
    """Return the message that wakes the worker."""
    return orjson.dumps({"replay_id": replay_id}).decode()


def replay_named(body: str) -> str:
    """Return the replay that a message of `work_body` names.

    Raises:
        InvalidRequest: it names none; it will never do so.
    """
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise InvalidRequest("message", f"is not JSON: {err}") from err
    named = fields.get("replay_id") if isinstance(fields, dict) else None
    if not isinstance(named, str) or not named:
        raise InvalidRequest("replay_id", "is missing; the message names no replay")
    return named
