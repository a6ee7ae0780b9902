"""What the cockpit measures of commits: traffic of a period, and what waits at which stage."""

from dataclasses import replace
from datetime import timedelta

from millrace.commit import Stage
from millrace.investigate.cockpit.measuring import measure, waits
from millrace.investigate.walking import Period
from millrace.lag import bucket_of
from millrace.read_cost import Budget
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes
from millrace_testing.fakes import FakeLedger, FixedClock
from millrace_testing.investigation import FakeCommitPages, arrived, unbounded

HOUR = timedelta(hours=1)
PERIOD = Period(ARRIVAL, ARRIVAL + HOUR)


def commit(first_seq=100, at=ARRIVAL, marks=None):
    made, _ = commit_of([event_bytes(0), event_bytes(1)], first_seq=first_seq)
    made = arrived(made, at)
    return replace(made, head=replace(made.head, marks=marks or {}))


def pages_of(*commits, page_commits=1000):
    ledger = FakeLedger()
    for each in commits:
        ledger.commits[each.head.shard, each.head.first_seq] = each
    return FakeCommitPages(ledger, page_commits)


def test_a_period_is_measured_by_its_own_commits():
    """Records, lag by source, time to the archive and commits a minute; no other period's."""
    done = {Stage.ARCHIVED: {"events": 2, "at": format_ms(ARRIVAL + timedelta(seconds=2))}}
    seen = []
    part = measure(
        pages_of(commit(1, ARRIVAL - HOUR), commit(100, marks=done), commit(200)),
        PERIOD, unbounded(), seen.append,
    )  # fmt: skip
    assert (part.commits, part.records, part.rejected, part.complete) == (2, 4, 0, True)
    assert part.lag_by_source == {"web": {7: 4}}
    assert part.pipeline_lag == {bucket_of(2_000): 2}
    assert part.busiest_minute == {"TYPE#view": 2, "SOURCE#web": 2}
    assert [head.first_seq for head in seen] == [100, 200]


def test_a_spent_budget_leaves_a_part_that_says_so():
    """What was read counts; what was not is not passed over in silence."""
    pages = pages_of(commit(100), commit(200), page_commits=1)
    budget = Budget(pages.cost, FixedClock(ARRIVAL), max_pages=1)
    part = measure(pages, PERIOD, budget, lambda _: None)
    assert (part.commits, part.complete) == (1, False)


def test_a_commit_waits_for_the_first_stage_that_lacks_it():
    """Not enriched, it waits nowhere else; enriched, it waits for whoever has not marked it."""
    enriched = {Stage.ENRICHED: {"events": 2}}
    archived = enriched | {Stage.ARCHIVED: {"events": 2}}
    commits = (commit(1), commit(2, ARRIVAL + HOUR, enriched), commit(3, ARRIVAL, archived))
    told = {each.stage: each for each in waits([each.head for each in commits])}
    assert {stage: each.events for stage, each in told.items()} == {
        Stage.ENRICHED: 2, Stage.AGGREGATED: 4, Stage.ARCHIVED: 2,
    }  # fmt: skip
    assert told[Stage.AGGREGATED].since == ARRIVAL
    assert told[Stage.ARCHIVED].service == "archive"
