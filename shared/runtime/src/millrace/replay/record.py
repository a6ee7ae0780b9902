"""A replay: one application of a plan, from its start to its end, and who did what to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from millrace.aggregates import Version
from millrace.errors import MillraceError


class ReplayState(StrEnum):
    """Where a replay stands."""

    RUNNING = "running"
    """Messages are being sent."""
    PAUSED = "paused"
    SENT = "sent"
    """All messages are sent; the processor has not counted all of them."""
    COMPLETED = "completed"
    """Every event is counted, or skipped with a reason."""
    CANCELLED = "cancelled"
    FAILED = "failed"
    """Its plan cannot be read any more; put right, it can be resumed."""

    @property
    def ended(self) -> bool:
        """Nothing more will be sent, unless a failed one is resumed."""
        return self in {ReplayState.COMPLETED, ReplayState.CANCELLED, ReplayState.FAILED}


class Action(StrEnum):
    """What a person does to a replay, and the entry in its audit."""

    APPLY = "apply"
    PAUSE = "pause"
    RESUME = "resume"
    CANCEL = "cancel"
    COMPLETE = "complete"
    FAIL = "fail"
    PROMOTE = "promote"
    UNDO = "undo-promote"


_MOVES: Mapping[Action, tuple[frozenset[ReplayState], ReplayState]] = {
    Action.PAUSE: (frozenset({ReplayState.RUNNING}), ReplayState.PAUSED),
    Action.RESUME: (
        frozenset({ReplayState.PAUSED, ReplayState.RUNNING, ReplayState.FAILED}),
        ReplayState.RUNNING,
    ),
    Action.CANCEL: (
        frozenset({ReplayState.RUNNING, ReplayState.PAUSED, ReplayState.SENT, ReplayState.FAILED}),
        ReplayState.CANCELLED,
    ),
    Action.COMPLETE: (frozenset({ReplayState.SENT}), ReplayState.COMPLETED),
    Action.FAIL: (frozenset({ReplayState.RUNNING}), ReplayState.FAILED),
}


class InvalidMove(MillraceError):
    """What was asked for does not fit where the replay stands."""


def moved(state: ReplayState, action: Action) -> ReplayState:
    """Return the state that `action` leads to.

    Raises:
        InvalidMove: naming the state, and from where the action is possible.
    """
    allowed, result = _MOVES[action]
    if state not in allowed:
        names = ", ".join(sorted(allowed))
        raise InvalidMove(f"the replay is {state.value}; {action.value} needs it {names}")
    return result


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when and why, and what came of it."""

    at: datetime
    who: str
    action: Action
    reason: str
    result: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the sending has come: messages before it are with the queue."""

    chunk: int = 0
    message: int = 0
    sent: int = 0


@dataclass(frozen=True, slots=True)
class ReplayPlace:
    """Where a replay is in the list of all."""

    started_at: datetime
    replay_id: str


@dataclass(frozen=True, slots=True)
class Replay:
    """One application of a plan."""

    replay_id: str
    plan_id: str
    plan_hash: str
    version: Version
    defs_version: str
    state: ReplayState
    dry_run: bool
    rate: int
    """Messages a second at most."""
    messages: int
    queue_url: str
    """Where the messages go: the pipeline's replay queue, or one of the user's own."""
    started_by: str
    started_at: datetime
    reason: str
    updated_at: datetime
    cursor: Cursor = field(default_factory=Cursor)
    step: int = 0
    """Moves on with every checkpoint and every action: nobody writes over what they did not see."""
    current_rate: float = 0.0
    """What the worker sent at last; below `rate` while it gives way to live traffic."""
    slowed_because: str = ""
    failed_because: str = ""
    """Why it failed, and what to do; empty unless it did."""

    @property
    def place(self) -> ReplayPlace:
        """Where it is in the list of all."""
        return ReplayPlace(self.started_at, self.replay_id)
