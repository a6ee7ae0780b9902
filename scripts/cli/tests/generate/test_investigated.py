"""An eight-day sample with injected faults, ingested and indexed: each verb finds exactly these.

Ingest's and enrich's own code makes the commits and the index, with fakes below them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

import pytest
from aws_lambda_powertools import Logger

from enrich.domain import committed_events, index_entries
from ingest.domain.deduplication import Claim, Holder
from ingest.domain.records import StreamRecord
from ingest.ports import HasTime, always
from ingest.service import Ingest
from millrace.event import EventLimits, read_event
from millrace.index import pages_of
from millrace.investigate.duplicates import Duplicates
from millrace.investigate.gaps import GapReport, Gaps, Subject
from millrace.investigate.lag import lag_report
from millrace.investigate.late import LateEvents
from millrace.investigate.record import Records
from millrace.investigate.sources import Sources
from millrace.investigate.walking import Period
from millrace.raw_lines import unpack
from millrace.read_cost import Budget
from millrace_cli.generate.plan import MissingDay, Plan, Silence
from millrace_cli.generate.population import SOURCES
from millrace_cli.generate.sample import Sample, make_sample
from millrace_testing.builders import SHARD
from millrace_testing.discards import FakeDiscards
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FakeQueue, FixedClock
from millrace_testing.investigation import FakeCommitPages, unbounded
from millrace_testing.quarantine import FakeMarks

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
EVENT_TIMES = Period(PLAN.begin, PLAN.end)
ARRIVALS = Period(PLAN.begin, PLAN.end + timedelta(days=2))
BATCH = 500


@dataclass
class FakeGate:
    """The first comers, in a dictionary."""

    holders: dict[bytes, Holder] = field(default_factory=dict)

    def claim(self, claims: Sequence[Claim], has_time: HasTime = always) -> Mapping[bytes, Holder]:
        return {
            each.gate_key: self.holders.setdefault(
                each.gate_key, Holder(each.owner, each.content_hash)
            )
            for each in claims
        }


class Pipeline:
    """A sample that arrived when its events did, in batches of one shard."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self.ledger, self.objects, self.index = FakeLedger(), FakeObjects(), FakeIndex(4)
        self.commits = FakeCommitPages(self.ledger, page_commits=3)
        numbers = count()
        clock = FixedClock(PLAN.end)
        ingest = Ingest(
            checkpoints=self.ledger,
            abandonments=FakeDiscards(self.ledger),
            gate=FakeGate(),
            objects=self.objects,
            references=FakeQueue(),
            clock=clock,
            limits=EventLimits(),
            allowed_lateness=timedelta(hours=1),
            logger=Logger("quiet-ingest", level="CRITICAL"),
            new_unique=lambda: str(next(numbers)),
        )
        for batch in self._batches():
            for commit in ingest.ingest(SHARD, batch, "corr").commits:
                raw = unpack(self.objects.get(str(commit.head.raw_key)))
                entries = index_entries(commit, committed_events(commit, raw))
                days = self.index.settled_buckets({entry.day for entry in entries})
                self.index.write(pages_of(entries, commit.head.first_arrival, days))

    def _batches(self) -> Iterator[list[StreamRecord]]:
        records = [
            StreamRecord(seq, each.at_ms, each.data)
            for seq, each in enumerate(self.sample.deliveries, start=100)
        ]
        for first in range(0, len(records), BATCH):
            yield records[first : first + BATCH]

    def identities(self, fault: str) -> list[tuple[str, str]]:
        """Return source and id of the events that the truth names."""
        lines = list(self.sample.lines)
        injected = self.sample.truth.as_dict()["injected"][fault]
        events = (read_event(lines[each["line"] - 1]) for each in injected)
        return sorted((event.source, event.event_id) for event in events)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline(make_sample(PLAN))


def test_the_duplicates(pipeline: Pipeline) -> None:
    """Fifty, by their ids, each as long after the first as it was sent."""
    duplicates = Duplicates(pipeline.commits, pipeline.ledger, pipeline.objects)
    report = duplicates.report(ARRIVALS, unbounded())
    found = sorted((each.event.source, each.event.event_id) for each in report.repetitions)
    assert found == pipeline.identities("duplicates")
    assert (report.duplicates, sum(rate.conflicts for rate in report.rates)) == (50, 0)
    assert sum(rate.events for rate in report.rates) == pipeline.sample.truth.accepted + 50
    assert all(1_000 <= (each.after_ms or 0) <= 300_000 for each in report.repetitions)


def test_the_late_events(pipeline: Pipeline) -> None:
    """Thirty, by their ids, and the hours that they changed."""
    report = LateEvents(pipeline.commits, pipeline.objects).report(ARRIVALS, unbounded())
    found = sorted((each.event.source, each.event.event_id) for each in report.events)
    assert found == pipeline.identities("late")
    assert (report.late, report.unreadable) == (30, 0)
    hours = {
        f"HOUR#{each['event_time'][:13]}"
        for each in pipeline.sample.truth.as_dict()["injected"]["late"]
    }
    assert {each.window.label for each in report.windows if each.window.label[0] == "H"} == hours


def test_the_sources(pipeline: Pipeline) -> None:
    """Their records add up, and twenty were rejected for the reasons that the truth names."""
    report = Sources(pipeline.commits, pipeline.objects).report(ARRIVALS, unbounded(), ARRIVALS.end)
    truth = pipeline.sample.truth
    assert sum(row.records for row in report.rows) == truth.records
    assert sum(row.rejected for row in report.rows) == 20
    assert sum(row.late for row in report.rows) == 30
    reasons: dict[str, int] = {}
    for row in report.rows:
        for reason, number in row.reasons:
            reasons[reason] = reasons.get(reason, 0) + number
    assert reasons == truth.quarantined


def test_the_lag(pipeline: Pipeline) -> None:
    """Of every event; the late ones are what makes its maximum. In parts it is the same."""
    report = lag_report(pipeline.commits, ARRIVALS, unbounded())
    total = report.total()
    assert total.events == pipeline.sample.truth.accepted + 50
    assert total.as_json()["p90_ms"] < 100_000
    assert total.as_json()["max_ms"] > 7_200_000 * 0.9
    events, cursor = 0, None
    while True:
        budget = Budget(pipeline.commits.cost, FixedClock(PLAN.end), max_pages=2)
        part = lag_report(pipeline.commits, ARRIVALS, budget, cursor=cursor)
        events += part.total().events
        cursor = part.coverage.cursor
        if cursor is None:
            break
    assert events == total.events


def asked(pipeline: Pipeline, subject: Subject) -> GapReport:
    return Gaps(pipeline.index, FixedClock(PLAN.end)).report(subject, EVENT_TIMES, unbounded())


def test_the_source_that_was_silent_and_no_other(pipeline: Pipeline) -> None:
    """Three hours by day, among nights that are quieter than they are."""
    injected = pipeline.sample.truth.as_dict()["injected"]["silent_sources"]
    found = {source: asked(pipeline, Subject(source=source)) for source in SOURCES}
    assert {name: len(report.silences) for name, report in found.items()} == {
        "web": 0, "mobile": 1, "billing": 0,
    }  # fmt: skip
    told = found["mobile"].silences[0].as_json()
    assert told["from"] <= injected[0]["from"] < injected[0]["to"] <= told["to"]
    assert all(not report.quiet for report in found.values())


def test_the_entity_that_missed_a_day_and_no_other(pipeline: Pipeline) -> None:
    """Of the busiest users one was away; the others' nights and pauses are ordinary."""
    (injected,) = pipeline.sample.truth.as_dict()["injected"]["missing_days"]
    (silence,) = asked(pipeline, Subject("user_1")).silences
    told = silence.as_json()
    assert told["from"] <= injected["from"] < injected["to"] <= told["to"]
    for rank in range(2, 9):
        assert asked(pipeline, Subject(f"user_{rank}")).silences == (), rank


def test_each_malformed_record(pipeline: Pipeline) -> None:
    """By its shard and sequence number, with its reason and its bytes."""
    records = Records(pipeline.ledger, pipeline.objects, FakeMarks())
    for seq, each in enumerate(pipeline.sample.deliveries, start=100):
        if each.rejected is not None:
            (part,) = records.at(SHARD, seq).quarantined
            assert (part.record.reason, part.record.data) == (each.rejected, each.data)
