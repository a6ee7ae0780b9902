"""Replayed events through the use case, on fakes."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from random import Random

import pytest

from enrich.replayed.deliveries import SkipReason
from enrich.replayed.known import TTL, KnownReplays
from enrich.replayed.service import EnrichReplayed, Outcome
from millrace.enriched import EnrichedEvent
from millrace.errors import ConfigError, RetryableError
from millrace.raw_lines import unpack
from millrace.replay.message import ReplayMessage
from millrace.replay.progress import Progress, progress_of
from millrace.replay.record import Replay, ReplayState
from millrace.replay.reference import ReplayReference
from millrace.stored import raw_place
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeObjects, FakeQueue, FixedClock
from millrace_testing.replays import FakeReplays, audit_entry, replay_record

REPLAY = replay_record(defs_version="fedcba9876543210")
EVENTS = 300


class CountingObjects(FakeObjects):
    """Counts the range reads; `refusing` says which keys cannot be read now."""

    def __init__(self) -> None:
        super().__init__()
        self.ranges: list[tuple[str, int]] = []
        self.refusing: set[int] = set()

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        self.ranges.append((key, offset))
        if offset in self.refusing:
            raise RetryableError("SlowDown")
        return super().get_range(key, offset, length)


class World:
    """One raw object of several members, one replay, and everything that enrich touches of both."""

    def __init__(self, live, replay: Replay = REPLAY) -> None:
        self.clock = FixedClock(ARRIVAL)
        self.assignments, self.experiments = live.assignments, live.experiments
        self.objects, self.queue, self.replays = CountingObjects(), FakeQueue(), FakeReplays()
        self.replays.start(replay, audit_entry())
        self.known = KnownReplays(self.replays, self.clock)
        lines = [event_bytes(n, payload={"x": f"{n}" * 300}) for n in range(EVENTS)]
        self.commit, raw = commit_of(lines)
        self.objects.put_new(str(self.commit.head.raw_key), raw)

    def message(self, number: int, **fields: object) -> ReplayMessage:
        place = raw_place(self.commit, number)
        message = ReplayMessage(
            event_id=f"event-{number}",
            entity_id=f"user_{number % 7}",
            event_time=ARRIVAL,
            arrival_time=ARRIVAL,
            s3_bucket="data",
            s3_key=place.key,
            offset=place.offset,
            length=place.length,
            line=place.line_in_member,
            replay_id=REPLAY.replay_id,
            version=REPLAY.version,
            correlation_id="corr-1",
        )
        return replace(message, **fields)

    def service(self, tap: Tap | None = None, **fields: object) -> EnrichReplayed:
        """Return the service; every call of a port is reported to `tap` first."""
        on = tap.on if tap else lambda port: port
        own = EnrichReplayed(
            ledger=on(self.replays),
            replays=KnownReplays(on(self.replays), self.clock) if tap else self.known,
            objects=on(self.objects),
            bucket="data",
            experiments=on(self.experiments),
            assignments=on(self.assignments),
            aggregate_queue=on(self.queue),
            clock=self.clock,
        )
        return replace(own, **fields)

    def run(self, messages: Iterable[ReplayMessage | str], tap: Tap | None = None) -> Outcome:
        return self.service(tap).enrich(bodies(messages))

    def references(self) -> list[ReplayReference]:
        return [ReplayReference.parse(body) for body in dict.fromkeys(self.queue.sent)]

    def rows(self, key: str) -> list[EnrichedEvent]:
        return [EnrichedEvent.from_line(line) for line in unpack(self.objects.get(key))]

    def progress(self) -> Progress:
        ledger, replay_id = self.replays, REPLAY.replay_id
        return progress_of(ledger.objects(replay_id), ledger.skipped(replay_id))

    def skipped(self) -> dict[str, str]:
        return {each.place: each.reason for each in self.replays.skipped(REPLAY.replay_id)}

    def end(self) -> dict[str, object]:
        """Return what aggregate is told of, event by event; how they are grouped may differ."""
        events = {
            (row.event_id, row.arrival_time): (row, each.version)
            for each in self.references()
            for row in self.rows(each.enriched_key)
        }
        return {"events": events, "progress": self.progress(), "skipped": self.skipped()}


def bodies(messages: Iterable[ReplayMessage | str]) -> dict[str, str]:
    return {
        f"message-{number}": each if isinstance(each, str) else each.to_json()
        for number, each in enumerate(messages)
    }


def some(world: World, numbers: Sequence[int] = range(EVENTS)) -> list[ReplayMessage]:
    return [world.message(number) for number in numbers]


@pytest.fixture
def replaying(world):
    return World(world)


def test_replayed_events_go_to_aggregate_alone(replaying):
    """One object in the replay's folder, with the replay's definitions, and one reference to it."""
    outcome = replaying.run(some(replaying, range(0, 300, 30)))
    assert (outcome.events, outcome.objects, outcome.failed, outcome.skips) == (10, 1, {}, [])
    (reference,) = replaying.references()
    assert reference.enriched_key.startswith(f"enriched/replay={REPLAY.replay_id}/")
    assert (reference.version, reference.defs_version) == (REPLAY.version, REPLAY.defs_version)
    rows = replaying.rows(reference.enriched_key)
    assert {row.defs_version for row in rows} == {REPLAY.defs_version}
    assert {row.event_id for row in rows} == {f"event-{n}" for n in range(0, 300, 30)}
    assert replaying.progress() == Progress(enriched=10, counted=0, skipped=0)


def test_replayed_rows_are_the_live_ones(replaying, world):
    """Assignments, experiments, arrival and lag are those of the live row of the same event."""
    world.run()
    live = {row.event_id: row for row in world.rows()}
    replaying.run([replaying.message(0)])
    (reference,) = replaying.references()
    (row,) = replaying.rows(reference.enriched_key)
    mine = live["event-0"]
    assert (row.assignments, row.experiments) == (mine.assignments, mine.experiments)
    assert (row.arrival_time, row.lag_ms) == (mine.arrival_time, mine.lag_ms)
    assert (row.hash64, row.event_time) == (mine.hash64, mine.event_time)


def test_each_member_is_fetched_once(replaying):
    """Three hundred messages in any order: one Range GET for each of a few members."""
    messages = some(replaying)
    Random(1).shuffle(messages)
    replaying.run(messages)
    members = len(replaying.commit.body.members)
    assert members > 1
    assert len(replaying.objects.ranges) == len(set(replaying.objects.ranges)) == members


def test_messages_that_name_nothing_are_left_out(replaying):
    """Skipped with a reason, listed where a place can be told; the batch does not fail."""
    cases = {
        SkipReason.OBJECT_MISSING: replaying.message(1, s3_key="raw/gone.ndjson.gz"),
        SkipReason.CORRUPT_MEMBER: replaying.message(2, offset=3),
        SkipReason.LINE_MISSING: replaying.message(3, line=100_000),
        SkipReason.OTHER_EVENT: replaying.message(4, event_id="event-5"),
        SkipReason.OTHER_VERSION: replaying.message(5, version="1766914299"),
        SkipReason.FOREIGN_OBJECT: replaying.message(6, s3_key="config/x"),
        SkipReason.BAD_RANGE: replaying.message(7, length=0),
        SkipReason.MALFORMED_MESSAGE: replaying.message(8).to_json().replace("corr-1", ""),
        SkipReason.UNKNOWN_REPLAY: replaying.message(9, replay_id="none"),
    }
    beyond = replaying.message(10, offset=10**9)
    good = replaying.message(299)
    outcome = replaying.run([*cases.values(), "not JSON", beyond, good])
    assert outcome.failed == {}
    counts = Counter(skip.reason for skip in outcome.skips)
    assert counts == Counter([*cases, "malformed_message", "corrupt_member"])
    unlisted = {SkipReason.UNKNOWN_REPLAY}  # no replay to list it with
    assert sorted(replaying.skipped().values()) == sorted(
        [*(each for each in cases if each not in unlisted), "corrupt_member"]
    )
    assert "none" not in replaying.replays.left_out
    assert replaying.progress() == Progress(enriched=1, counted=0, skipped=len(cases))


def test_something_passing_fails_its_messages_alone(replaying):
    """A member that cannot be read now comes again; the others are done, and the sender hears."""
    first, *others = replaying.commit.body.members
    replaying.objects.refusing = {first.offset}
    outcome = replaying.run(some(replaying))
    assert set(outcome.failed) == {f"message-{n}" for n in range(first.lines)}
    assert outcome.events == sum(each.lines for each in others)
    assert replaying.replays.pressure_ms(REPLAY.replay_id) is not None
    replaying.objects.refusing = set()
    assert not replaying.run(some(replaying, range(first.lines))).failed
    assert replaying.progress().enriched == EVENTS


@pytest.mark.parametrize("error", [RetryableError("throttled"), ConfigError("no right")])
def test_what_cannot_be_written_fails_its_messages(replaying, error):
    """None is deleted before its event is referred to; skips that are not listed come again."""

    class Refusing(FakeReplays):
        def list_object(self, *_: object) -> None:
            raise error

        def skip(self, *_: object) -> None:
            raise error

    ledger = Refusing()
    ledger.records = replaying.replays.records
    messages = [replaying.message(1), replaying.message(2, line=10**6)]
    outcome = replaying.service(ledger=ledger).enrich(bodies(messages))
    assert set(outcome.failed) == {"message-0", "message-1"}
    assert (outcome.skips, replaying.queue.sent) == ([], [])


def test_a_dry_run_sends_no_reference(world):
    """Read, enriched, written and listed; aggregate never hears of it."""
    replaying = World(world, replace(REPLAY, dry_run=True))
    outcome = replaying.run(some(replaying, range(10)))
    assert (outcome.events, outcome.dry_events) == (10, 10)
    assert replaying.queue.sent == []
    assert replaying.progress() == Progress(enriched=10, counted=0, skipped=0)


def test_a_cancelled_replay_has_no_effect(replaying):
    """Within five seconds of the cancel its messages are taken from the queue, and that is all."""
    replaying.run([replaying.message(1)])
    cancelled = replace(REPLAY, state=ReplayState.CANCELLED, step=1)
    assert replaying.replays.advance(REPLAY, cancelled)
    replaying.clock.advance(TTL)
    sent = list(replaying.queue.sent)
    malformed = replaying.message(4).to_json().replace("corr-1", "")
    outcome = replaying.run([*some(replaying, [2, 3]), malformed])
    assert (outcome.cancelled, outcome.events, outcome.failed) == (3, 0, {})
    assert replaying.queue.sent == sent
    assert replaying.progress() == Progress(enriched=1, counted=0, skipped=0)


def test_a_large_batch_makes_several_objects(replaying):
    """An object is closed at a bound of bytes, so memory does not grow with the batch."""
    outcome = replaying.service(object_bytes=60_000).enrich(bodies(some(replaying)))
    assert outcome.objects == len(replaying.commit.body.members) > 1
    assert outcome.events == replaying.progress().enriched == EVENTS


def test_any_delivery_gives_the_same_events(world):
    """Each message twice or more, shuffled and cut into batches anew: the same rows once each."""
    clean = World(world)
    clean.run([*some(clean), clean.message(1, line=10**6)])
    for seed in range(5):
        draw = Random(seed)
        replaying = World(world)
        messages = [*some(replaying), replaying.message(1, line=10**6)] * 2
        draw.shuffle(messages)
        while messages:
            size = draw.randrange(1, 120)
            replaying.run(messages[:size])
            messages = messages[size:]
        assert replaying.end() == clean.end()


class Crash(BaseException):
    """The function was killed here."""


def crash() -> None:
    raise Crash


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("regrouped", [False, True], ids=["the same", "regrouped"])
def test_a_crash_at_any_call_loses_and_doubles_nothing(world, new_tap, after, regrouped):
    """Killed before or after each call of a port, then redelivered in groups of any kind."""
    numbers = range(0, EVENTS, 10)
    clean, tap = World(world), new_tap(-1, crash)
    clean.run([*some(clean, numbers), clean.message(1, line=10**6)], tap)
    for at in range(tap.calls):
        replaying = World(world)
        messages = [*some(replaying, numbers), replaying.message(1, line=10**6)]
        with pytest.raises(Crash):
            replaying.run(messages, new_tap(at, crash, after))
        for part in (messages[::2], messages[1::2]) if regrouped else (messages,):
            assert not replaying.run(part).failed
        assert replaying.end() == clean.end(), f"crashed at call {at}"


def test_replays_are_read_every_few_seconds(replaying):
    """One that was not there is looked for each time; one that was is used for five seconds."""
    tap = Tap(-1, crash)
    known = KnownReplays(tap.on(replaying.replays), replaying.clock)
    assert [known.get("later"), known.get("later")] == [None, None]
    replaying.replays.start(replace(REPLAY, replay_id="later"), audit_entry())
    assert known.get("later") is not None
    assert tap.calls == 3
    known.get("later")
    assert tap.calls == 3
    replaying.clock.advance(TTL)
    known.get("later")
    assert tap.calls == 4
