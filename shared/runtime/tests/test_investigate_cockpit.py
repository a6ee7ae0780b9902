"""The cockpit's checks on plain values: each finding, where it ends, and the order of all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from millrace.commit import Stage
from millrace.investigate.cockpit.findings import Severity, Tool, logs, millrace, ranked, span
from millrace.investigate.cockpit.inspection import inspect
from millrace.investigate.cockpit.readings import (
    DeadQueue,
    FailedCalls,
    MappingReading,
    OpenBatch,
    OverdueReferences,
    Readings,
    ScheduleReading,
    ServiceReading,
    ServiceReadings,
    ShardReading,
    StageWait,
    TrafficPart,
    UnexportedHour,
)
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.lag import bucket_of
from millrace.replay.record import Cursor, ReplayState
from millrace_testing.replays import replay_record

NOW = datetime(2025, 12, 28, 12, tzinfo=UTC)
LIMITS = Thresholds()
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
RECENT = TrafficPart(
    NOW - HOUR, NOW + HOUR, commits=10, records=1_000, rejected=1,
    lag_by_source={"web": {bucket_of(500): 999}}, pipeline_lag={bucket_of(2_000): 999},
    busiest_minute={"TYPE#view": 60},
)  # fmt: skip
USUAL = replace(RECENT, start=NOW - 24 * HOUR, end=NOW - HOUR, commits=230, records=23_000)
SHARD = ShardReading("shardId-0", waiting=False, waiting_since=None, last_commit_at=NOW - MINUTE)
WELL = Readings(
    now=NOW,
    stages=tuple(StageWait(stage, "enrich", 0, 0, None) for stage in Stage),
    shards=(SHARD,),
    overdue=(),
    services=ServiceReadings((ServiceReading("ingest"), ServiceReading("enrich"))),
    dead=(DeadQueue("enrich", 0), DeadQueue("aggregate", 0)),
    discarded=(),
    unexported=(),
    replays=(),
    recent=RECENT,
    usual=USUAL,
)


def found(**changes):
    return ranked(inspect(replace(WELL, **changes), LIMITS))


def only(**changes):
    """Return the one finding that the change makes, and its check."""
    ((check, finding),) = found(**changes)
    return check, finding


def test_when_all_is_well_every_check_says_what_it_looked_at():
    """No finding, and a number in each of the eleven."""
    checks = inspect(WELL, LIMITS)
    assert [each.findings for each in checks] == [()] * 11
    assert {each.name: each.looked_at for each in checks} == {
        "stages": "240 commits of the window and every unfinished one",
        "shards": "1 shard, the last commit 1 min ago",
        "references": "those pending for 5 minutes",
        "services": "2 functions: whether they are there, may run and fail; 0 mappings, "
        "0 schedules",
        "dead_letters": "2 queues: 0 messages",
        "discarded_batches": "0 open",
        "rejects": "1 of 1,000 records rejected since 2025-12-28T11:00:00.000Z, 1 of 23,000 before",
        "lag": "p99 of 1 source since 2025-12-28T11:00:00.000Z: 514 ms behind; archived 2.0 s "
        "after arrival",
        "hot_scopes": "1 type or source, the hottest TYPE#view with up to 4.0 units/s",
        "exports": "the earliest 0 hours to export, 0 wait too long",
        "replays": "the 0 replays since a week before the window",
    }


def test_a_stage_that_waits_a_little_is_on_its_way_and_then_stuck():
    """Its own patience decides; the number is events, the command the service's errors."""
    wait = StageWait(Stage.ARCHIVED, "archive", 70, 2, NOW - 4 * MINUTE)
    check, finding = only(stages=(wait,))
    assert (check, finding.severity, finding.number) == ("stages", Severity.INFO, 70)
    check, finding = only(stages=(replace(wait, since=NOW - 5 * MINUTE),))
    assert (finding.severity, finding.look) == (Severity.ERROR, logs("archive"))
    assert finding.what == "70 events not yet archived, in 2 commits"


def test_a_stuck_stage_is_put_down_to_its_dead_letters_or_its_mapping():
    """Who reads the finding needs no second one to know why."""
    wait = StageWait(Stage.ARCHIVED, "archive", 70, 2, NOW - HOUR)
    findings = dict(found(stages=(wait,), dead=(DeadQueue("archive", 2),)))
    assert findings["stages"].fix == millrace("dlq", "redrive", "archive")
    findings = dict(found(stages=(wait,), services=stopped("archive", mappings=(OFF,))))
    assert "mapping of queue q is Disabled" in findings["stages"].why


OFF = MappingReading("uuid-1", "queue q", "Disabled", NOW - HOUR)


def stopped(service, **why):
    return ServiceReadings((ServiceReading(service, **why),))


@pytest.mark.parametrize(
    ("why", "what", "tool", "words"),
    [
        ({"mappings": (OFF,)}, "is not called", Tool.MAPPING_ON, ("uuid-1",)),
        ({"unread": ("queue q",)}, "is not called", Tool.DEPLOY, ()),
        ({"schedule": ScheduleReading("r", "DISABLED")}, "is not called", Tool.SCHEDULE_ON, ("r",)),
        ({"schedule": ScheduleReading("r", None)}, "is not called", Tool.DEPLOY, ()),
        ({"may_run": False}, "may not run", Tool.CONCURRENCY, ("watch",)),
        ({"exists": False}, "is missing", Tool.DEPLOY, ()),
        ({"unable": "its role is gone"}, "cannot run", Tool.DEPLOY, ()),
        ({"failed": FailedCalls(9, NOW - HOUR)}, "fails at every call", Tool.DEPLOY, ()),
    ],
)
def test_whatever_stops_a_service_is_named_with_what_starts_it(why, what, tool, words):
    """Without any traffic: it is an error, and the cause of whatever else is found."""
    check, finding = only(services=stopped("watch", **why))
    assert (check, finding.severity, finding.what) == ("services", Severity.ERROR, f"watch {what}")
    assert finding.is_cause
    assert finding.why
    assert finding.fix is not None
    assert (finding.fix.tool, finding.fix.words) == (tool, words)


def test_what_calls_a_service_and_is_on_is_no_finding():
    """Nor is what is on its way to being on."""
    on = tuple(MappingReading(state, "queue q", state) for state in ("Enabled", "Enabling"))
    schedule = ScheduleReading("r", "ENABLED")
    assert found(services=stopped("watch", mappings=on, schedule=schedule)) == []


def test_a_cause_ranks_before_what_follows_from_it():
    """However old and however bad that is; and each of it says why."""
    cause = stopped("ingest", may_run=False)
    batch = OpenBatch("b", 5, NOW - 5 * HOUR, NOW - HOUR, expired=True)
    waiting = replace(SHARD, waiting=True, waiting_since=NOW - MINUTE)
    first, *others = found(services=cause, shards=(waiting,), discarded=(batch,))
    assert (first[1].what, first[1].severity) == ("ingest may not run", Severity.CRITICAL)
    assert [(name, each.severity) for name, each in others] == [
        ("discarded_batches", Severity.CRITICAL), ("shards", Severity.ERROR)
    ]  # fmt: skip
    assert others[1][1].why == "ingest may not run: its reserved concurrency is 0"


def test_what_follows_from_another_service_is_ranked_as_before():
    """A cause is as severe as its own consequences, not as others'."""
    batch = OpenBatch("b", 5, NOW - 5 * HOUR, NOW - HOUR, expired=True)
    names = [each.what for _, each in found(services=stopped("export", may_run=False),
                                            discarded=(batch,))]  # fmt: skip
    assert names == ["discarded batch of 5 records has expired", "export may not run"]


def test_services_that_may_not_be_asked_about_are_not_called_well():
    """The check says what it did not look at."""
    none = ServiceReadings((), ("functions",))
    checks = {each.name: each for each in inspect(replace(WELL, services=none), LIMITS)}
    assert "not looked at" in checks["services"].looked_at
    some = ServiceReadings((ServiceReading("ingest"),), ("calls",))
    checks = {each.name: each for each in inspect(replace(WELL, services=some), LIMITS)}
    assert checks["services"].looked_at.endswith("these credentials may not: calls")


@pytest.mark.parametrize(
    ("shard", "severity", "why"),
    [
        (replace(SHARD, waiting=True, waiting_since=NOW - MINUTE), Severity.INFO, "on their way"),
        (replace(SHARD, waiting=True, waiting_since=NOW - HOUR), Severity.ERROR, "ingest does not"),
        (replace(SHARD, waiting=True), Severity.ERROR, "its last commit was 1 min ago"),
        (replace(SHARD, blocked="AccessDenied"), Severity.ERROR, "AccessDenied"),
    ],
)
def test_a_shard_is_stale_by_the_first_record_that_waits(shard, severity, why):
    """Blocked or stale is an error, a moment's wait is not."""
    check, finding = only(shards=(shard,))
    assert (check, finding.severity) == ("shards", severity)
    assert why in finding.why


def test_overdue_references_are_watchs():
    """Watch sends them every minute: if they wait, it does not run."""
    check, finding = only(overdue=(OverdueReferences("shardId-0", 3),))
    assert (check, finding.number, finding.look) == ("references", 3, logs("watch"))


def test_dead_letters_say_why_and_when_they_are_gone():
    """The commonest error of those that were looked at; critical within a day of the end."""
    queue = DeadQueue(
        "aggregate", 12, looked_at=10, oldest=NOW - HOUR, expires_at=NOW + 48 * HOUR,
        commonest_error="AccessDenied", commonest=9,
    )  # fmt: skip
    check, finding = only(dead=(queue,))
    assert (check, finding.severity, finding.number) == ("dead_letters", Severity.ERROR, 12)
    assert finding.what == "12 dead letters of aggregate, gone in 2 d 0 h"
    assert finding.why == "9 of 10 looked at: AccessDenied"
    assert (finding.look, finding.fix, finding.since) == (
        millrace("dlq", "show", "aggregate"), millrace("dlq", "redrive", "aggregate"), NOW - HOUR,
    )  # fmt: skip
    assert only(dead=(replace(queue, expires_at=NOW + HOUR),))[1].severity is Severity.CRITICAL


def test_discarded_batches_are_ranked_by_what_is_left_of_them():
    """One that expired and one about to are critical, one with days is not."""
    batch = OpenBatch("b-1", 25, NOW - HOUR, NOW + 90 * MINUTE, expired=False)
    _, finding = only(discarded=(batch,))
    assert finding.severity is Severity.CRITICAL
    assert finding.what == "discarded batch of 25 records can be repaired for 1 h 30 min more"
    assert finding.fix == millrace("failures", "repair", "b-1")
    far = replace(batch, until=NOW + 72 * HOUR)
    assert only(discarded=(far,))[1].severity is Severity.ERROR
    gone = replace(batch, until=NOW - HOUR, expired=True)
    assert only(discarded=(gone,))[1].fix == millrace("failures", "abandon", "b-1")


@pytest.mark.parametrize(
    ("recent", "usual", "rises"),
    [
        ((1_000, 31), (1_000, 10), True),
        ((1_000, 30), (1_000, 10), False),
        ((100, 9), (1_000, 0), False),
        ((100, 10), (1_000, 0), True),
        ((100, 6), (0, 0), False),
        ((100, 10), (0, 0), True),
        ((1_000, 50), (0, 0), False),
    ],
)
def test_quarantine_rises_against_the_hours_before(recent, usual, rises):
    """Three times the usual share and ten records; without hours before, more than 5 %."""
    changed = {
        "recent": replace(RECENT, records=recent[0], rejected=recent[1]),
        "usual": replace(USUAL, records=usual[0], rejected=usual[1]),
    }
    assert [check for check, _ in found(**changed)] == (["rejects"] if rises else [])


def test_a_source_lags_by_its_own_usual():
    """An old backlog that always lags is no finding; a source that suddenly does is one."""
    years = {bucket_of(10**11): 500}
    steady = {"backlog": years, "web": {bucket_of(500): 500}}
    late = {"backlog": years, "web": {bucket_of(600_000): 500}}
    changed = {
        "usual": replace(USUAL, lag_by_source=steady),
        "recent": replace(RECENT, lag_by_source=late),
    }
    check, finding = only(**changed)
    assert (check, finding.severity) == ("lag", Severity.WARNING)
    assert finding.look.words[:3] == ("lag", "--source", "web")
    assert finding.number == pytest.approx(600_000, rel=0.05)
    assert found(recent=replace(RECENT, lag_by_source=steady), usual=changed["usual"]) == []


def test_a_pipeline_that_slows_down_is_found():
    """Arrival to archived, against the hours before."""
    slow = replace(RECENT, pipeline_lag={bucket_of(300_000): 999})
    check, finding = only(recent=slow)
    assert (check, finding.why) == ("lag", "a stage is slower than usual")


def test_a_hot_scope_is_named_with_its_write_units():
    """7,500 commits in its busiest minute are 500 units a second: half of one key's."""
    hot = replace(RECENT, busiest_minute={"TYPE#view": 7_500, "SOURCE#web": 7_499})
    check, finding = only(recent=hot)
    assert (check, finding.number) == ("hot_scopes", 500)
    assert finding.look == millrace("aggregates", "--scope", "TYPE#view", "--window", "hour")


def test_an_hour_is_missing_once_two_exports_passed_it_by():
    """What changed just now is export's next work; what changed hours ago it has missed."""
    fresh = UnexportedHour("2025-12-28T09", NOW - HOUR)
    assert found(unexported=(fresh, UnexportedHour("2025-12-28T10", None))) == []
    check, finding = only(unexported=(replace(fresh, changed_at=NOW - 3 * HOUR), fresh))
    assert (check, finding.number) == ("exports", 1)
    assert finding.fix == millrace("export", "2025-12-28T09")


@pytest.mark.parametrize(
    ("state", "age", "severity"),
    [
        (ReplayState.FAILED, MINUTE, Severity.ERROR),
        (ReplayState.PAUSED, HOUR, Severity.INFO),
        (ReplayState.RUNNING, MINUTE, Severity.INFO),
        (ReplayState.RUNNING, HOUR, Severity.ERROR),
        (ReplayState.SENT, HOUR, Severity.ERROR),
        (ReplayState.COMPLETED, HOUR, None),
        (ReplayState.CANCELLED, HOUR, None),
    ],
)
def test_replays_that_failed_or_do_not_go_on_are_found(state, age, severity):
    """What ended well, or by somebody's will, is not."""
    replay = replay_record(
        state=state, updated_at=NOW - age, messages=10, cursor=Cursor(0, 4, 4),
        failed_because="the plan is gone" if state is ReplayState.FAILED else "",
    )  # fmt: skip
    told = found(replays=(replay,))
    assert [(check, each.severity) for check, each in told] == (
        [] if severity is None else [("replays", severity)]
    )
    assert all(each.number == 6 for _, each in told)
    assert all(each.look == millrace("replay", "status", replay.replay_id) for _, each in told)


def test_findings_are_ranked_by_severity_then_age():
    """What is lost soon first, then causes, then the oldest."""
    told = found(
        stages=(StageWait(Stage.ENRICHED, "enrich", 1, 1, NOW - MINUTE),),
        dead=(
            DeadQueue("enrich", 1, oldest=NOW - HOUR, expires_at=NOW + HOUR),
            DeadQueue("archive", 1, oldest=NOW - 3 * HOUR),
            DeadQueue("aggregate", 1, oldest=NOW - 4 * HOUR),
        ),
        services=stopped("export", may_run=False),
    )
    assert [each.what for _, each in told] == [
        "1 dead letter of enrich, gone in 1 h 00 min",
        "export may not run",
        "1 dead letter of aggregate",
        "1 dead letter of archive",
        "1 event not yet enriched, in 1 commit",
    ]


def test_times_are_said_as_people_say_them():
    """Down to the second below a minute, to the hour above two days."""
    seconds = (0, 59, 60, 3_599, 3_600, 47 * 3_600, 50 * 3_600)
    assert [span(timedelta(seconds=each)) for each in seconds] == [
        "0 s", "59 s", "1 min", "59 min", "1 h 00 min", "47 h 00 min", "2 d 2 h",
    ]  # fmt: skip
