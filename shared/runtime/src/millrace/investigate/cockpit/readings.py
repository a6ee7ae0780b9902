"""What the cockpit looks at: plain values, read at one time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from millrace.commit import Stage
from millrace.replay.record import Replay


@dataclass(frozen=True, slots=True)
class StageWait:
    """What has come to a stage and has not come out of it."""

    stage: Stage
    service: str
    events: int
    commits: int
    since: datetime | None
    """When the oldest of the commits was made."""


@dataclass(frozen=True, slots=True)
class ShardReading:
    """One shard of the stream."""

    shard_id: str
    waiting: bool
    """Records lie behind the last that was committed or given up."""
    waiting_since: datetime | None
    """Arrival of the first of them."""
    last_commit_at: datetime | None
    blocked: str | None = None
    """Why the local engine does not read it any more."""


@dataclass(frozen=True, slots=True)
class OverdueReferences:
    """References of one shard that nobody has sent though it is time."""

    shard_id: str
    references: int


@dataclass(frozen=True, slots=True)
class MappingReading:
    """What calls a service with records or messages."""

    uuid: str
    source: str
    """What it reads: `stream millrace-events`, `queue millrace-archive`."""
    state: str
    """As Lambda says it: Enabled, Disabled, Enabling, ..."""
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ScheduleReading:
    """What calls a service by the clock."""

    rule: str
    state: str | None
    """As EventBridge says it: ENABLED, DISABLED; None if there is no such rule."""


@dataclass(frozen=True, slots=True)
class FailedCalls:
    """The latest calls of a service, all of which failed."""

    calls: int
    since: datetime


@dataclass(frozen=True, slots=True)
class ServiceReading:
    """Whether a service is called, and can do what it is called for."""

    service: str
    exists: bool = True
    """False: Lambda has no such function, and nothing else is known."""
    unable: str = ""
    """Why Lambda cannot run it, in Lambda's words."""
    may_run: bool = True
    """False: no concurrency is left to it."""
    mappings: tuple[MappingReading, ...] = ()
    unread: tuple[str, ...] = ()
    """What it should read, and no mapping does."""
    schedule: ScheduleReading | None = None
    failed: FailedCalls | None = None


@dataclass(frozen=True, slots=True)
class ServiceReadings:
    """All services, and what of them these credentials may not ask for."""

    services: tuple[ServiceReading, ...] = ()
    not_asked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DeadQueue:
    """One dead-letter queue."""

    key: str
    """What `millrace dlq` calls it."""
    messages: int
    redrivable: bool = True
    """`millrace dlq` can send its messages back."""
    looked_at: int = 0
    oldest: datetime | None = None
    expires_at: datetime | None = None
    """When SQS drops the oldest."""
    commonest_error: str = ""
    commonest: int = 0
    """Messages with that error among those that were looked at."""


@dataclass(frozen=True, slots=True)
class OpenBatch:
    """A discarded batch that nobody has repaired or abandoned."""

    batch_id: str
    records: int
    discarded_at: datetime
    until: datetime
    """From then on not all of its records can be had."""
    expired: bool


@dataclass(frozen=True, slots=True)
class UnexportedHour:
    """An hour with events that no complete file holds yet."""

    hour: str
    changed_at: datetime | None
    """When the archive last got events of it; None if that is not known."""


@dataclass(frozen=True, slots=True)
class TrafficPart:
    """What arrived in a part of the window."""

    start: datetime
    end: datetime
    complete: bool = True
    """False: the budget did not suffice for all of it."""
    commits: int = 0
    records: int = 0
    rejected: int = 0
    lag_by_source: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    """Event time to arrival; histograms of `millrace.lag`."""
    pipeline_lag: Mapping[int, int] = field(default_factory=dict)
    """Arrival to archived."""
    busiest_minute: Mapping[str, int] = field(default_factory=dict)
    """Commits that touch a scope (`TYPE#edit`, `SOURCE#web`) in its busiest minute."""

    @property
    def rejected_share(self) -> float:
        """Rejected records of all."""
        return self.rejected / self.records if self.records else 0.0


@dataclass(frozen=True, slots=True)
class Readings:
    """All of it."""

    now: datetime
    stages: tuple[StageWait, ...]
    shards: tuple[ShardReading, ...]
    overdue: tuple[OverdueReferences, ...]
    services: ServiceReadings
    dead: tuple[DeadQueue, ...]
    discarded: tuple[OpenBatch, ...]
    unexported: tuple[UnexportedHour, ...]
    replays: tuple[Replay, ...]
    recent: TrafficPart
    usual: TrafficPart
    """What arrived before `recent`, as far back as the window goes."""
    unfinished_complete: bool = True
    """False: there are more unfinished commits than were read."""
