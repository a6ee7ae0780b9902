"""The generated sample: the same bytes always, and its truth is what ingest itself says."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from itertools import pairwise

import orjson
import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from ingest.domain.decoding import decode
from ingest.domain.deduplication import Holder, claims_of, committable
from ingest.domain.lateness import lateness_of
from ingest.domain.records import StreamRecord, judge
from millrace.commit import ShardKey
from millrace.event import EventLimits
from millrace.reasons import RejectReason
from millrace.times import parse_rfc3339
from millrace_cli.errors import CommandError
from millrace_cli.generate.faults import LATE_AFTER_MS
from millrace_cli.generate.malformed import KINDS
from millrace_cli.generate.plan import MissingDay, Plan, Silence
from millrace_cli.generate.population import SOURCES
from millrace_cli.generate.sample import Sample, make_sample

ARRIVAL_MS = 1_785_000_000_000  # 2026-07-25
SHARD = ShardKey("0a1b2c3d", "shardId-000000000000")
INJECTED = Plan(
    seed=9,
    events=12_000,
    days=8,
    duplicates=50,
    late=30,
    malformed=20,
    silences=(Silence("web", 3),),
    missing_days=(MissingDay("user_2"),),
)
plans = st.builds(
    Plan,
    seed=st.integers(0, 2**63),
    events=st.integers(1, 400),
    days=st.integers(1, 4),
    start=st.dates(date(2000, 1, 1), date(2025, 1, 1)),
    duplicates=st.none() | st.integers(0, 40),
    late=st.none() | st.integers(0, 40),
    malformed=st.none() | st.integers(0, 40),
    missing_days=st.just(()) | st.just((MissingDay("user_1"),)),
    silences=st.lists(
        st.builds(Silence, st.sampled_from(SOURCES), st.integers(1, 6)), max_size=2
    ).map(tuple),
)


@pytest.fixture(scope="module")
def injected() -> Sample:
    return make_sample(INJECTED)


def judged_by_ingest(sample: Sample) -> dict[str, object]:
    """Return what ingest's own domain makes of the lines, as one batch of one shard."""
    records = [
        judge(StreamRecord(seq, ARRIVAL_MS, line), EventLimits())
        for seq, line in enumerate(sample.lines, start=1)
    ]
    claims = claims_of(SHARD, records)
    holders = {each.gate_key: Holder(each.owner, each.content_hash) for each in claims}
    prefix = committable(SHARD, records, holders)
    late = lateness_of(prefix.lines, {}, timedelta(milliseconds=LATE_AFTER_MS)).late_lines
    rejections = [each.outcome.rejection for each in prefix.rejected]
    return {
        "records": len(records),
        "accepted": sum(line.entry.duplicate_of is None for line in prefix.lines),
        "duplicates": sum(line.entry.duplicate_of is not None for line in prefix.lines),
        "conflicts": sum(line.entry.conflict for line in prefix.lines),
        "quarantined": dict(sorted(Counter(str(each.reason) for each in rejections).items())),
        "late": {prefix.lines[number].event.event_id for number in late},
    }


def told_by_truth(sample: Sample) -> dict[str, object]:
    truth = sample.truth.as_dict()
    return {
        "records": truth["records"],
        "accepted": truth["accepted"],
        "duplicates": truth["duplicates"],
        "conflicts": 0,
        "quarantined": truth["quarantined_by_reason"],
        "late": {each["event_id"] for each in truth["injected"]["late"]},
    }


@settings(max_examples=80, deadline=None)
@given(plans)
def test_the_truth_is_what_ingest_says(plan: Plan) -> None:
    """For any plan: accepted, duplicates, reasons and late events equal ingest's own verdicts."""
    try:
        sample = make_sample(plan)
    except CommandError:
        reject()  # more faults than there are events to make them of: the next test's business
    assert told_by_truth(sample) == judged_by_ingest(sample)


def test_every_injected_fault_is_found_and_nothing_else(injected: Sample) -> None:
    """50 duplicates, 30 late, 20 malformed, three silent hours, one missing day: exactly these."""
    truth = injected.truth.as_dict()
    assert told_by_truth(injected) == judged_by_ingest(injected)
    assert (truth["duplicates"], truth["late"], truth["quarantined"]) == (50, 30, 20)
    lines = list(injected.lines)
    hours = {source: set() for source in SOURCES}
    days = set()
    malformed = {each["line"] for each in truth["injected"]["malformed"]}
    for number, line in enumerate(lines, start=1):
        if number not in malformed:
            event = orjson.loads(line)
            at = parse_rfc3339(event["event_time"])
            hours[event["source"]].add(at.replace(minute=0, second=0, microsecond=0))
            days |= {at.date()} if event["entity_id"] == "user_2" else set()
    every = {INJECTED.begin + timedelta(hours=n) for n in range(8 * 24)}
    silent = truth["injected"]["silent_sources"][0]
    assert {source: every - found for source, found in hours.items()} == {
        "web": {datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in (10, 11, 12)},
        "mobile": set(),
        "billing": set(),
    }
    assert (silent["from"], silent["to"]) == (
        "2026-01-01T10:00:00.000Z",
        "2026-01-01T13:00:00.000Z",
    )
    assert {at.date() for at in every} - days == {date(2026, 1, 1)}
    assert truth["injected"]["missing_days"][0]["from"] == "2026-01-01T00:00:00.000Z"


def test_faults_leave_the_other_events_as_they_are(injected: Sample) -> None:
    """A sample with gaps holds exactly the events of the one without that lie in no gap."""
    whole = make_sample(Plan(seed=9, events=12_000, days=8, duplicates=0, late=0, malformed=0))
    left = {each.data for each in injected.deliveries if not each.rejected}
    gone = set(whole.lines) - left
    taken = injected.truth.as_dict()["injected"]
    assert left <= set(whole.lines)
    assert len(gone) == sum(
        gap["events_taken_away"] for gap in taken["silent_sources"] + taken["missing_days"]
    )


def test_the_same_plan_gives_the_same_bytes() -> None:
    """On every machine, Python and release: a golden hash, to be changed knowingly only."""
    sample = make_sample(Plan(seed=7, events=3_000, days=3, silences=(Silence("mobile", 2),)))
    digest = sha256(b"\n".join(sample.lines))
    digest.update(orjson.dumps([sample.assignments, sample.experiments, sample.truth.as_dict()]))
    assert digest.hexdigest() == "edebb298406ea73ec728e57474d041d68365e3d9e59bf8c808dc0759c0fb9e1c"
    assert list(make_sample(Plan(seed=8, events=3_000, days=3)).lines) != list(sample.lines)


def test_samples_of_two_seeds_share_no_event() -> None:
    """Sent together they are no duplicates of each other, and no conflicts."""
    one, other = (make_sample(Plan(seed=seed, events=500, days=1, malformed=0)) for seed in (1, 2))
    both = Sample(one.deliveries + other.deliveries, (), (), one.truth)
    assert judged_by_ingest(both)["accepted"] == 1_000
    assert judged_by_ingest(both)["conflicts"] == 0


def test_every_kind_of_malformed_line_has_its_own_reason() -> None:
    """Every reason that a line of text can have is there, and ingest gives the one named."""
    needs_more_than_a_line = {
        RejectReason.KPL_CORRUPT,
        RejectReason.GZIP_CORRUPT,
        RejectReason.PAYLOAD_INVALID,
        RejectReason.TOO_LARGE,
        RejectReason.UNREADABLE,
    }
    assert {kind.reason for kind in KINDS} == set(RejectReason) - needs_more_than_a_line
    event = make_sample(Plan(events=1, days=1)).deliveries[0].event
    for kind in KINDS:
        (part,) = decode(kind.spoil(event), 1024 * 1024)
        record = judge(StreamRecord(1, ARRIVAL_MS, part.data), EventLimits())
        assert record.outcomes[0].rejection.reason == kind.reason


def test_the_day_has_a_rhythm_and_users_a_long_tail(injected: Sample) -> None:
    """Evenings are several times as busy as nights; a tenth of the users sends half of all."""
    by_hour = Counter(each.event.at_ms // 3_600_000 % 24 for each in injected.deliveries)
    assert by_hour[19] > 5 * by_hour[3]
    by_user = sorted(
        Counter(each.event.entity_id for each in injected.deliveries).values(), reverse=True
    )
    assert sum(by_user[: len(by_user) // 10]) > sum(by_user) * 0.4
    assert len({orjson.loads(each.event.body)["client_id"] for each in injected.deliveries}) == 4


def test_entities_keep_their_order_but_for_late_ones(injected: Sample) -> None:
    """Events arrive within minutes of their time unless they are late on purpose."""
    on_time = [each for each in injected.deliveries if not each.late]
    assert all(0 <= each.at_ms - each.event.at_ms < 400_000 for each in on_time)
    assert all(a.at_ms <= b.at_ms for a, b in pairwise(injected.deliveries))


def test_experiments_and_assignments_belong_together(injected: Sample) -> None:
    """Each assignment names an experiment and one of its variants; some begin after events."""
    variants = {each["experiment_id"]: each["variants"] for each in injected.experiments}
    assert len(variants) == 3
    assert all(row["variant"] in variants[row["experiment_id"]] for row in injected.assignments)
    starts = {(r["entity_id"], r["experiment_id"]): r["assigned_at"] for r in injected.assignments}
    assert len(starts) == len(injected.assignments)
    events = [orjson.loads(each.event.body) for each in injected.deliveries]
    exposures = [each for each in events if each["event_type"] == "exposure"]
    assert exposures
    assert all(
        starts[each["entity_id"], each["payload"]["experiment"]] <= each["event_time"]
        for each in exposures
    )
    firsts = {}
    for each in events:
        firsts[each["entity_id"]] = min(
            each["event_time"], firsts.get(each["entity_id"], each["event_time"])
        )
    assert any(firsts.get(entity, "9") < at for (entity, _), at in starts.items())
    json.dumps(injected.experiments)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"events": 0}, "--events 0"),
        ({"events": 10**9}, "--events"),
        ({"days": 0}, "--days 0"),
        ({"late": -1}, "--late -1"),
        ({"events": 10, "days": 1, "duplicates": 11}, "--duplicates 11"),
        ({"events": 10, "days": 1, "late": 11}, "--late 11"),
        ({"events": 10, "days": 1, "malformed": 11}, "--malformed 11"),
        ({"days": 1, "silences": (Silence("web", 15),)}, "--silent-source web"),
        ({"missing_days": (MissingDay("nobody"),)}, "--missing-day nobody"),
        ({"missing_days": (MissingDay("user_1", date(1999, 1, 1)),)}, "--missing-day user_1"),
        ({"start": date(9999, 1, 1)}, "--start 9999-01-01"),
    ],
)
def test_what_cannot_be_generated_names_its_option(options: dict, named: str) -> None:
    """The message begins with the option and says what to give instead."""
    with pytest.raises(CommandError) as caught:
        make_sample(Plan(**options))
    assert caught.value.problem.startswith(named)
    assert caught.value.remedy
