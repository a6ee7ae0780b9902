"""Silences that break a subject's own rhythm, and those that do not."""

from datetime import UTC, datetime, timedelta
from random import Random

import orjson
import pytest

from millrace.index import pages_of
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.gaps import NO_RHYTHM, Gaps, Subject
from millrace.investigate.quiet import quiet_hours
from millrace.investigate.rhythm import DAY_MS, HOUR_MS, Rates, Rhythm, intervals
from millrace.investigate.walking import Period
from millrace.read_cost import Bound, Budget, ReadCost
from millrace.times import from_epoch_ms, to_epoch_ms
from millrace_testing.builders import index_entry
from millrace_testing.fakes import FakeIndex, FixedClock
from millrace_testing.investigation import unbounded

START = datetime(2025, 12, 1, tzinfo=UTC)
DAYS = 14
WHOLE = Period(START, START + timedelta(days=DAYS))
MINUTE_MS = 60_000


def times_of(seed, *, an_hour=20.0, burst=1, silent=()):
    """Return times of a subject that is quiet at night, acts in bursts, and at times is silent.

    silent: pairs of hours since START.
    """
    draws = Random(seed)
    found, at_ms, end_ms = [], to_epoch_ms(START), to_epoch_ms(WHOLE.end)
    while at_ms < end_ms:
        at_ms += int(draws.expovariate(an_hour / burst) * HOUR_MS)
        by_day = 6 <= at_ms // HOUR_MS % 24 < 22
        if by_day or draws.random() < 0.1:
            found += [at_ms + int(draws.random() * 2 * MINUTE_MS) for _ in range(burst)]
    stretches = [
        (to_epoch_ms(START) + int(a * HOUR_MS), to_epoch_ms(START) + int(b * HOUR_MS))
        for a, b in silent
    ]
    return sorted(
        each for each in found
        if each < end_ms and not any(a <= each < b for a, b in stretches)
    )  # fmt: skip


def indexed(times_ms, *, buckets=4):
    """Return an index that has an event at each of the times."""
    index = FakeIndex(buckets)
    entries = [
        index_entry(n, entity_id="user_1", line=n, event_time=from_epoch_ms(at))
        for n, at in enumerate(times_ms)
    ]
    days = index.settled_buckets({entry.day for entry in entries})
    index.write(pages_of(entries, START, days))
    return index


def gaps_in(times_ms, subject=None, period=WHOLE, **options):
    use_case = Gaps(indexed(times_ms), FixedClock(WHOLE.end + timedelta(days=30)))
    return use_case.report(subject or Subject("user_1"), period, unbounded(), **options)


@pytest.mark.parametrize("burst", [1, 6])
@pytest.mark.parametrize("seed", range(5))
def test_an_ordinary_fortnight_has_no_silence(seed, burst):
    """Neither its nights nor its pauses between bursts are reported."""
    report = gaps_in(times_of(seed, burst=burst))
    assert report.silences == ()
    assert report.quiet == ()


@pytest.mark.parametrize("burst", [1, 6])
@pytest.mark.parametrize("seed", range(5))
def test_a_silence_by_day_is_found_exactly(seed, burst):
    """Eight hours without an event on one day, and nothing else; it says from when to when."""
    times = times_of(seed, burst=burst, silent=[(24 * 6 + 9, 24 * 6 + 17)])
    (silence,) = gaps_in(times).silences
    told = silence.as_json()
    begin = to_epoch_ms(START + timedelta(days=6, hours=9))
    assert silence.interval.begin_ms == max(each for each in times if each < begin)
    assert silence.interval.end_ms == min(each for each in times if each >= begin)
    assert told["duration_s"] >= 8 * 3600
    assert told["usual_events"] > 100
    assert told["by_chance"] < 0.05
    assert told["open"] is False


def test_the_same_silence_at_night_is_ordinary():
    """What counts is how many events are usual meanwhile, not how long it takes."""
    report = gaps_in(times_of(1, an_hour=4, silent=[(24 * 6 + 23, 24 * 6 + 29)]))
    assert report.silences == ()


def test_a_silence_that_goes_on_is_open():
    """It ends where what is known ends: at the end of the period, or now."""
    times = times_of(2, silent=[(24 * 13 + 8, 24 * 14)])
    (silence,) = gaps_in(times).silences
    assert silence.interval.open
    assert silence.interval.end_ms == to_epoch_ms(WHOLE.end)
    now = START + timedelta(days=13, hours=20)
    use_case = Gaps(indexed(times), FixedClock(now))
    (silence,) = use_case.report(Subject("user_1"), WHOLE, unbounded()).silences
    assert silence.interval.end_ms == to_epoch_ms(now)


def test_before_its_first_event_a_subject_is_not_silent():
    """A new entity is no entity that was missing."""
    report = gaps_in(times_of(3, silent=[(0, 24 * 5)]))
    assert report.silences == ()
    assert report.learnt_from >= START + timedelta(days=5)


def test_a_given_length_needs_no_rhythm():
    """Every silence longer than it, ordinary or not; a few events are enough."""
    times = [to_epoch_ms(START) + n * HOUR_MS for n in (0, 1, 2, 6, 7)]
    period = Period(START, START + timedelta(hours=8))
    asked = gaps_in(times, period=period)
    assert (asked.silences, asked.note) == ((), NO_RHYTHM)
    report = gaps_in(times, period=period, longer_than=timedelta(minutes=61))
    assert [each.as_json()["duration_s"] for each in report.silences] == [4 * 3600]
    assert report.silences[0].by_chance is None
    assert orjson.dumps(report.as_json())


def test_the_rhythm_is_learnt_from_the_days_before_too():
    """Only what reaches into the period is reported, and the history is told."""
    times = times_of(4, silent=[(24 * 3 + 9, 24 * 3 + 17), (24 * 12 + 9, 24 * 12 + 17)])
    period = Period(START + timedelta(days=12), START + timedelta(days=13))
    report = gaps_in(times, period=period, history=timedelta(days=11))
    (silence,) = report.silences
    assert silence.interval.begin_ms > to_epoch_ms(START + timedelta(days=12))
    assert report.learnt_from < START + timedelta(days=2)


def test_a_source_is_read_from_every_bucket():
    """Its events are those of all entities; repetitions and other sources do not count."""
    times = times_of(5, silent=[(24 * 6 + 9, 24 * 6 + 17)])
    index = FakeIndex(4)
    entries = [
        index_entry(n, entity_id=f"user_{n % 9}", event_time=from_epoch_ms(at), line=n)
        for n, at in enumerate(times)
    ]
    silent = START + timedelta(days=6, hours=12)
    entries += [
        index_entry(10**6, event_time=silent, source="app", line=10**6),
        index_entry(1, event_time=silent, duplicate=True, line=10**6 + 1),
    ]
    index.write(pages_of(entries, START, index.settled_buckets({each.day for each in entries})))
    report = Gaps(index, FixedClock(WHOLE.end)).report(Subject(source="web"), WHOLE, unbounded())
    assert len(report.silences) == 1
    assert report.events == len(times)


def test_hours_with_few_events_are_found():
    """Against the same hours of the days before: a tenth of the usual number is reported."""
    draws = Random(6)
    times = times_of(6, an_hour=120)
    first = to_epoch_ms(START + timedelta(days=9, hours=11))
    fewer = [at for at in times if not first <= at < first + HOUR_MS or draws.random() < 0.1]
    report = gaps_in(fewer)
    assert [each.begin_ms for each in report.quiet] == [first]
    assert report.quiet[0].usual > 100


def test_an_hour_is_compared_once_it_was_seen_often_enough():
    """Three days before it at least."""
    times = [n * HOUR_MS + m for n in range(24 * 3) for m in range(0, HOUR_MS, MINUTE_MS)]
    assert quiet_hours(times, 0, 3 * DAY_MS, 1.0) == []
    assert len(quiet_hours(times, 0, 3 * DAY_MS + HOUR_MS, 1.0)) == 1


def test_a_budget_ends_the_reading_between_days():
    """What was read is answered, without a guess about the rest, and from where to ask on."""
    times = times_of(7, silent=[(24 * 4 + 9, 24 * 4 + 17), (24 * 12 + 9, 24 * 12 + 17)])
    cost = ReadCost()
    index = indexed(times)

    class Counting:
        bucket_counts = index.bucket_counts

        def bodies(self, day, bucket):
            cost.queries += 1
            return index.bodies(day, bucket)

    budget = Budget(cost, FixedClock(START), max_pages=10)
    use_case = Gaps(Counting(), FixedClock(WHOLE.end))
    report = use_case.report(Subject("user_1"), WHOLE, budget, history=timedelta(days=7))
    assert (report.ended_by, report.covered_to) == (Bound.PAGES, START + timedelta(days=10))
    assert len(report.silences) == 1
    rest = Period(report.covered_to, WHOLE.end)
    again = use_case.report(Subject("user_1"), rest, unbounded())
    assert len(again.silences) == 1


def test_a_budget_that_ends_within_the_history_says_so():
    """Nothing is claimed of a period that was not read."""
    budget = Budget(ReadCost(), FixedClock(START), deadline=START)
    use_case = Gaps(indexed(times_of(8)), FixedClock(WHOLE.end))
    report = use_case.report(Subject("user_1"), WHOLE, budget)
    assert (report.silences, report.covered_to) == ((), WHOLE.start)
    assert "allow more" in report.note


def test_wrong_questions_are_refused():
    """With the field in the error."""
    for fields in ({}, {"entity_id": "a", "source": "b"}):
        with pytest.raises(InvalidQuestion, match="entity: name an entity or a source"):
            Subject(**fields)
    with pytest.raises(InvalidQuestion, match="longer_than"):
        gaps_in([], longer_than=timedelta(0))
    with pytest.raises(InvalidQuestion, match="history"):
        gaps_in([], history=timedelta(days=-1))
    assert "no event at all" in gaps_in([]).note


def test_bursts_are_seen_as_bursts():
    """The burst size that is learnt is about the one that there is."""
    for burst in (1, 3, 6):
        times = times_of(9, burst=burst)
        rates = Rates(times, times[0], times[-1])
        rhythm = Rhythm.of(list(intervals(times, rates, times[-1])))
        assert rhythm is not None
        assert burst * 0.5 < rhythm.burst_size < burst * 1.8


def test_what_a_stretch_usually_brings_adds_up():
    """Usual events of two stretches are those of both; over all of it they are the events."""
    times = times_of(10)
    rates = Rates(times, times[0], times[-1])
    a, b, c = times[0], times[len(times) // 3] + 7, times[-1]
    assert rates.expected(a, c) == pytest.approx(rates.expected(a, b) + rates.expected(b, c))
    assert rates.expected(a, c) == pytest.approx(len(times), rel=0.1)
