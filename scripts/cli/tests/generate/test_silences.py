"""The silences that a generated sample holds are found by rhythm, and no others."""

from datetime import date

import pytest

from millrace.index import pages_of
from millrace.investigate.gaps import GapReport, Gaps, Subject
from millrace.investigate.walking import Period
from millrace.times import from_epoch_ms
from millrace_cli.generate.plan import MissingDay, Plan, Silence
from millrace_cli.generate.population import SOURCES
from millrace_cli.generate.sample import Sample, make_sample
from millrace_testing.builders import index_entry
from millrace_testing.fakes import FakeIndex, FixedClock
from millrace_testing.investigation import unbounded

PLAN = Plan(
    seed=4,
    days=8,
    start=date(2023, 5, 1),
    duplicates=50,
    late=30,
    malformed=20,
    silences=(Silence("mobile", 3),),
    missing_days=(MissingDay("user_1"),),
)


@pytest.fixture(scope="module")
def sample() -> Sample:
    return make_sample(PLAN)


@pytest.fixture(scope="module")
def gaps(sample: Sample) -> Gaps:
    """All events of the sample, indexed."""
    index = FakeIndex(4)
    entries = [
        index_entry(
            number,
            entity_id=each.event.entity_id,
            source=each.event.source,
            event_time=from_epoch_ms(each.event.at_ms),
            line=number,
            duplicate=each.duplicate,
        )
        for number, each in enumerate(sample.deliveries)
        if not each.rejected
    ]
    days = index.settled_buckets({entry.day for entry in entries})
    index.write(pages_of(entries, PLAN.begin, days))
    return Gaps(index, FixedClock(PLAN.end))


def asked(gaps: Gaps, subject: Subject) -> GapReport:
    return gaps.report(subject, Period(PLAN.begin, PLAN.end), unbounded())


def test_the_source_that_was_silent_and_no_other(sample: Sample, gaps: Gaps) -> None:
    """Three hours by day, among nights that are quieter than they are."""
    injected = sample.truth.as_dict()["injected"]["silent_sources"]
    found = {source: asked(gaps, Subject(source=source)) for source in SOURCES}
    assert {name: len(report.silences) for name, report in found.items()} == {
        "web": 0, "mobile": 1, "billing": 0,
    }  # fmt: skip
    told = found["mobile"].silences[0].as_json()
    assert told["from"] <= injected[0]["from"] < injected[0]["to"] <= told["to"]
    assert all(not report.quiet for report in found.values())


def test_the_entity_that_missed_a_day_and_no_other(sample: Sample, gaps: Gaps) -> None:
    """Of the busiest users one was away; the others' nights and pauses are ordinary."""
    (injected,) = sample.truth.as_dict()["injected"]["missing_days"]
    (silence,) = asked(gaps, Subject("user_1")).silences
    told = silence.as_json()
    assert told["from"] <= injected["from"] < injected["to"] <= told["to"]
    for rank in range(2, 9):
        assert asked(gaps, Subject(f"user_{rank}")).silences == (), rank
