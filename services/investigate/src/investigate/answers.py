"""What the answers hold: models that describe them, of which the OpenAPI document is made.

The answers themselves are written by `millrace.investigate`, for the command as for this API; tests
hold each of them against its model, which allows no field more and none less.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from millrace.investigate.biography import Standing

Ended = Literal["pages", "time"] | None
Histogram = dict[str, int]
"""Events by bucket: number n holds lags above 1.1^(n-1) and up to 1.1^n ms, -1 none at all."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Read(_Answer):
    """What the answer took to read."""

    query_pages: int
    """Of at most 1 MB each."""
    read_units: float
    object_reads: int


class Told(_Answer):
    """What every answer has."""

    read: Read


class Page(_Answer):
    """How much of the whole answer this one is."""

    complete: bool
    ended_by: Ended
    """What ended it early; null if a page is full, or the last one."""
    cursor: str | None
    """With this the same question is answered for the rest; null: there is no more."""


class PeriodPage(Page):
    """The period that was asked about, and how much of it the answer covers."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]


class Coverage(PeriodPage):
    """The period of arrivals, and how much of it the answer covers."""

    commits: int
    """Commits that were read."""


class GapCoverage(_Answer):
    """The period of event times, and how much of it the answer covers."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    complete: bool
    ended_by: Ended
    covered_to: str | None
    """Where the answer ends if it is not complete: ask again from there."""


class Quantiles(_Answer):
    """Of a number of milliseconds; null where there is no event."""

    events: int
    p50_ms: int | None
    p90_ms: int | None
    p99_ms: int | None
    max_ms: int | None
    histogram: Histogram


class SourceLag(Quantiles):
    """The lag of a source."""

    source: str


class LagRow(SourceLag):
    """The lag of a source and type in one hour of arrival."""

    event_type: str
    hour: str


class StageRow(Quantiles):
    """How long a step of the pipeline took."""

    step: str
    waiting_events: int


class LagAnswer(Told):
    """GET /lag."""

    coverage: Coverage
    total: Quantiles
    by_source: tuple[SourceLag, ...]
    rows: tuple[LagRow, ...]
    stages: tuple[StageRow, ...]


class DuplicateRate(_Answer):
    """How often events of a source and type came again."""

    source: str
    event_type: str
    events: int
    duplicates: int
    conflicts: int
    """Copies with other content."""
    duplicate_share: float


class DuplicatesOfEntity(_Answer):
    """How many copies an entity has."""

    entity_id: str
    duplicates: int


class _Arrival(_Answer):
    event_id: str
    source: str
    event_type: str
    entity_id: str
    event_time: str
    arrival_time: str


class Repetition(_Arrival):
    """One event that came again."""

    repeats: str
    """Where the first one came from: shard, sequence number and position."""
    after_ms: int | None
    conflict: bool


class DuplicatesAnswer(Told):
    """GET /duplicates."""

    coverage: Coverage
    events: int
    duplicates: int
    conflicts: int
    rates: tuple[DuplicateRate, ...]
    time_between: Quantiles
    worst_entities: tuple[DuplicatesOfEntity, ...]
    repetitions: tuple[Repetition, ...]
    unreadable: int
    """Repetitions whose raw object is gone."""


class LateCount(_Answer):
    """How many events of a source and type were late."""

    source: str
    event_type: str
    events: int
    late: int


class LateWindow(_Answer):
    """A window that had closed, and changed."""

    window: str
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    late_events: int
    sources: tuple[str, ...]


class LateEvent(_Arrival):
    """One event that came late."""

    behind_ms: int
    """Behind its source's highest event time."""
    duplicate: bool


class LateAnswer(Told):
    """GET /late."""

    coverage: Coverage
    late: int
    counts: tuple[LateCount, ...]
    behind: Quantiles
    changed_windows: tuple[LateWindow, ...]
    events: tuple[LateEvent, ...]
    unreadable: int
    """Late events that are counted and cannot be named."""


class SourceRow(_Answer):
    """A source, with the numbers that make it a problem."""

    source: str
    records: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    late: int
    problem_share: float
    rejected_share: float
    duplicate_share: float
    conflict_share: float
    late_share: float
    reject_reasons: dict[str, int]
    lag: Quantiles
    last_arrival: str | None
    silent_s: float | None
    """From the last arrival to the end of the period, or to now."""


class SourcesAnswer(Told):
    """GET /sources: the worst first."""

    coverage: Coverage
    sources: tuple[SourceRow, ...]
    unreadable_objects: int


class ListedEvent(_Answer):
    """One event of an entity."""

    event_id: str
    event_type: str
    entity_id: str
    event_time: str
    source: str
    arrival_time: str
    lag_ms: int
    duplicate: bool
    commit_id: str
    line: int
    payload: dict[str, Any] = {}
    """Only where it was asked for."""


class EntityEventsAnswer(Told):
    """GET /entities/{id}/events: in order of event time."""

    entity_id: str
    coverage: PeriodPage
    events: tuple[ListedEvent, ...]


class RhythmAnswer(_Answer):
    """How long ordinary silences are."""

    burst_size: float
    longest_ordinary_silence_in_usual_events: float


class Silence(_Answer):
    """A time without an event."""

    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    duration_s: float
    open: bool
    """No event has ended it yet."""
    usual_events: float
    by_chance: float | None
    """How many so long ones chance makes in the whole span."""


class QuietHour(_Answer):
    """An hour with unusually few events."""

    hour: str
    events: int
    usual_events: float
    by_chance: float | None


class GapsAnswer(Told):
    """GET /entities/{id}/gaps."""

    entity_id: str | None
    source: str | None
    coverage: GapCoverage
    learnt_from: str
    events: int
    rhythm: RhythmAnswer | None
    silences: tuple[Silence, ...]
    quiet_hours: tuple[QuietHour, ...]
    note: str


class AggregateRow(_Answer):
    """One number and what went into it."""

    scope: str
    metric_name: str
    window: str
    value: int | float
    """With every digit that the table holds."""
    window_start: str
    window_end: str
    """The last second, included."""
    version: str
    event_count: int
    input_hash: str
    """Equal count and hash mean equal inputs."""
    sample_event_ids: tuple[str, ...]
    defs_version: str
    updated_at: str


class AggregatesAnswer(Told):
    """GET /aggregates: in order of time, version, metric."""

    coverage: Page
    rows: tuple[AggregateRow, ...]


class UnfinishedCommits(_Answer):
    """Commits that some stage has yet to mark."""

    count: int
    more: bool
    """There may be more than those."""
    oldest_age_s: float | None


class DiscardedBatches(_Answer):
    """Batches that the stream's mapping gave up, neither repaired nor abandoned."""

    count: int
    oldest_age_s: float | None
    """Since the arrival of the first record."""


class ShardRow(_Answer):
    """How far a shard has come."""

    shard: str
    last_commit_at: str | None
    last_commit_age_s: float | None
    pending_references: int


class StatusWindow(_Answer):
    """What arrived in it was counted."""

    since: str
    complete: bool
    """False: the pages or the time did not suffice for all of it."""


class FindingRow(_Answer):
    """One thing that is wrong, or on its way."""

    check: str
    severity: Literal["critical", "error", "warning", "info"]
    """Lost soon, does not go on by itself, worse than usual, on its way."""
    what: str
    number: int | float
    """The number in `what`."""
    since: str | None
    why: str
    service: str | None
    """Which service it is about, if it is about one."""
    look: str
    """The command that looks closer; give it --env."""
    fix: str | None
    """The command that mends it; null where there is none."""


class CheckRow(_Answer):
    """One thing that was looked at."""

    check: str
    looked_at: str
    findings: int


class StatusAnswer(Told):
    """GET /status: what is wrong now, as `millrace status` says it, and what is unfinished."""

    window: StatusWindow
    findings: tuple[FindingRow, ...]
    """The worst first, a cause before what follows from it; none: all is well."""
    checks: tuple[CheckRow, ...]
    """What "nothing found" means."""
    at: str
    settled: bool
    """Nothing is left to do of what was looked at."""
    unfinished_commits: UnfinishedCommits
    waiting_events: dict[str, int]
    """Events of the unfinished commits by the stage that they wait for."""
    pending_references: int
    discarded_batches: DiscardedBatches
    shards: tuple[ShardRow, ...]
    complete: bool
    ended_by: Ended


class Line(_Answer):
    """Where one arrival came from, and where its bytes lie."""

    arrival_time: str
    commit_id: str
    committed_at: str
    correlation_id: str
    """X-Ray finds the traces of the commit by it: `annotation.correlation_id = "..."`."""
    shard: str
    sequence: str
    position: int
    line: int
    raw_key: str
    raw_offset: int
    raw_length: int
    line_in_member: int


class Copy(Line):
    """The event once more: kept in raw, and counted nowhere."""

    after_ms: int
    conflict: bool


class Enriched(_Answer):
    """The event's enriched row."""

    standing: Standing
    note: str
    key: str | None
    at: str | None
    defs_version: str | None
    row: dict[str, Any] | None


class CountedIn(_Answer):
    """An aggregate row that the event belongs to."""

    scope: str
    window: str
    metric_name: str
    version: str
    standing: Standing
    value: int | float | None
    event_count: int | None
    updated_at: str | None
    replay_id: str | None
    promoted_version: str | None


class Archived(_Answer):
    """The archive object that holds the event."""

    standing: Standing
    note: str
    hour: str | None
    key: str | None
    events: int | None
    at: str | None


class Exported(_Answer):
    """The client's file of the event's hour."""

    standing: Standing
    note: str
    client_id: str | None
    location: str | None
    status: str | None
    events: int | None
    at: str | None


class Touched(_Answer):
    """A replay that ran the event again."""

    replay_id: str
    version: str
    state: str
    started_at: str
    reason: str
    outcome: str
    dry_run: bool
    object_key: str | None
    defs_version: str


class BiographyAnswer(Told):
    """GET /events/{id}: all that is known of an event."""

    event_id: str
    source: str
    event_type: str
    entity_id: str
    client_id: str
    event_time: str
    found_by: Literal["gate", "index"]
    lag_ms: int
    late: bool
    behind_ms: int
    event: dict[str, Any]
    """As it was sent."""
    first: Line
    stages: dict[str, str | None]
    """When each stage marked the commit."""
    copies: tuple[Copy, ...]
    copies_note: str
    enriched: Enriched
    counted_in: tuple[CountedIn, ...]
    counted_note: str
    archived: Archived
    exported: Exported
    replays: tuple[Touched, ...]
    replays_note: str
