"""Finding, previewing, recovering and dropping, on fakes."""

from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from millrace.commit import CommittedLine, Owner, ShardKey
from millrace.event import EventLimits
from millrace.quarantine.dropping import Dropped, Dropping
from millrace.quarantine.following import Fate, fates
from millrace.quarantine.marks import State
from millrace.quarantine.patching import preview
from millrace.quarantine.reading import NotInQuarantine, Quarantine
from millrace.quarantine.record import BadPlace, Place, Traits, traits_of
from millrace.quarantine.recovering import Actor, Progress, Recovery, recoverable
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import RuleOptions, rule_of_options
from millrace.quarantine.selection import Selection
from millrace.quarantine.stats import Dimension, Statistics
from millrace.reasons import RejectReason
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, event_fields
from millrace_testing.crash.tap import Tap
from millrace_testing.fakes import FakeLedger, FakeObjects, FixedClock
from millrace_testing.quarantine import (
    FakeArrivedCommits,
    FakeDoor,
    FakeMarks,
    FakeRules,
    rejected_commit,
)

pytestmark = pytest.mark.validation
OTHER = ShardKey(SHARD.incarnation, "shardId-000000000001")
ALL = Selection(ARRIVAL - timedelta(days=1), ARRIVAL + timedelta(days=1))
ANN = Actor("ann", "a release wrote ts")
RENAME = rule_of_options(RuleOptions(rename=("ts=event_time",)))


def unnamed_time(number: int, **fields: object) -> bytes:
    """Return an event whose time has another name: rejected, and mended by RENAME."""
    changed = event_fields(number, **fields)
    changed["ts"] = changed.pop("event_time")
    return orjson.dumps(changed)


class World:
    """Two commits on two shards; a hospital for what they rejected."""

    def __init__(self) -> None:
        self.objects, self.marks, self.rules = FakeObjects(), FakeMarks(), FakeRules()
        self.clock = FixedClock(ARRIVAL + timedelta(hours=1))
        datas = [unnamed_time(n) for n in range(3)]
        self.commits = [
            rejected_commit([*datas, b"not json"], accepted=4),
            rejected_commit([unnamed_time(7, source="app")], shard=OTHER, first_seq=100),
        ]
        for commit, body in self.commits:
            self.objects.put_new(str(commit.head.quarantine_key), body)

    @property
    def quarantine(self) -> Quarantine:
        commits = FakeArrivedCommits([commit.head for commit, _ in self.commits])
        return Quarantine(commits, self.objects, self.marks, SHARD.incarnation)

    def recover(self, rule: Rule = RENAME, door: FakeDoor | None = None, **chosen: object):
        """Recover and return the progress and the door."""
        door, progress = door or FakeDoor(), Progress()
        recovery = Recovery(self.marks, self.rules, door, self.clock, EventLimits())
        selection = recoverable(replace(ALL, **chosen))
        recovery.recover(self.quarantine.commits(selection), rule, ANN, progress)
        return progress, door

    def states(self) -> Counter[str]:
        return Counter(held.state.value for held in self.quarantine.records(ALL))


@pytest.fixture
def world() -> World:
    return World()


def listed(world: World, **chosen: object) -> list[str]:
    found = world.quarantine.records(replace(ALL, **chosen))
    return [str(held.record.place).removeprefix("shardId-00000000000") for held in found]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, ["0/100/0", "0/101/0", "0/102/0", "0/103/0", "1/100/0"]),
        ({"reasons": {RejectReason.NOT_JSON}}, ["0/103/0"]),
        ({"sources": {"app", "web"}, "limit": 2}, ["0/100/0", "0/101/0"]),
        ({"sources": {"app"}}, ["1/100/0"]),
        ({"event_types": {"edit"}}, []),
        ({"schema_versions": {"1"}, "after": Place(SHARD.shard_id, 101)}, ["0/102/0", "1/100/0"]),
        ({"after": Place(SHARD.shard_id, 103), "limit": 5}, ["1/100/0"]),
        ({"places": {Place(OTHER.shard_id, 100), Place(SHARD.shard_id, 101)}},
         ["0/101/0", "1/100/0"]),
        ({"start": ARRIVAL + timedelta(seconds=1)}, []),
        ({"end": ARRIVAL}, []),
        ({"states": {State.DROPPED}}, []),
    ],
)  # fmt: skip
def test_records_are_found_by_what_is_said_of_them(world, chosen, expected) -> None:
    """By reason, source, type, version, place, time and state; page by page."""
    assert listed(world, **chosen) == expected


def test_an_orphan_of_a_crashed_attempt_is_invisible(world) -> None:
    """Objects that no commit names are not even read; nothing is listed by prefix."""
    world.objects.put_new("quarantine/dt=2025-12-28/hour=09/orphan", b"not even gzip")
    assert len(listed(world)) == 5


def test_one_record_is_shown_with_all_that_is_known(world) -> None:
    """Bytes, message, arrival, commit; a place that holds none says so."""
    held = world.quarantine.at(Place.parse(f"{SHARD.shard_id}/101"))
    assert held.record.data == unnamed_time(1)
    assert (held.record.reason, held.state) == (RejectReason.MISSING_FIELD, State.OPEN)
    assert held.record.message == "event_time: Field required"
    assert (held.record.arrival, held.record.commit.correlation_id) == (ARRIVAL, "corr-1")
    for seq in (105, 999):
        with pytest.raises(NotInQuarantine):
            world.quarantine.at(Place(SHARD.shard_id, seq))
    for text in ("100", "shard/x", "shard/1/2/3", "/1"):
        with pytest.raises(BadPlace, match="SHARD/SEQUENCE"):
            Place.parse(text)


@pytest.mark.parametrize(
    ("data", "traits"),
    [
        (b'{"source":"web","event_type":"v","schema_version":2}', Traits("web", "v", "2")),
        (b"{}", Traits("unknown", None, "1")),
        (b'{"source":{"a":1},"event_type":7,"schema_version":true}', Traits(None, "7", None)),
        (b'{"event_type":"v","source" : "web","payload":{"x', Traits("web", "v", None)),
        (b'\xff[{"schema_version":3}]', Traits(None, None, "3")),
        (b"\x1f\x8b", Traits()),
    ],
)
def test_what_a_record_says_of_itself_is_read_as_well_as_can_be(data, traits) -> None:
    """Its own fields with the contract's defaults, else the first text that looks like them."""
    assert traits_of(data) == traits


def test_statistics_count_and_say_the_share(world) -> None:
    """By any dimensions; the share is of all records of the commits in the window."""
    found = Statistics((Dimension.REASON, Dimension.SOURCE, Dimension.STATE, Dimension.HOUR))
    for commit in world.quarantine.commits_of(
        found.passing(world.quarantine.heads(ALL)), replace(ALL, sources={"web", "app"})
    ):
        found.count(commit.held)
    assert found.groups == {
        ("missing_field", "web", "open", "2025-12-28T09"): 3,
        ("missing_field", "app", "open", "2025-12-28T09"): 1,
    }
    assert (found.records, found.quarantined, found.received) == (4, 5, 9)
    assert found.share == pytest.approx(5 / 9)


def test_a_preview_judges_as_ingest_would_and_sends_nothing(world) -> None:
    """Before, after, verdict and id; how many of all, and why the others would not."""
    found = preview(world.quarantine.records(ALL), RENAME, world.clock.now(), EventLimits(), 1)
    assert (found.selected, found.valid, found.repeated) == (5, 4, 0)
    assert (found.mended, found.problems) == ({"missing_field": 4}, {"not_patchable": 1})
    mended, hopeless = found.examples
    after = orjson.loads(mended.data)
    assert after["event_time"] == event_fields(0)["event_time"]
    assert "ts" not in after
    assert mended.event.event_id == "event-0"
    assert hopeless.message.startswith("not JSON")
    assert world.marks.marks == {}


def test_what_would_still_be_rejected_says_why(world) -> None:
    """Ingest's own reason and message, on the patched bytes; steps that fail say which."""
    rule = rule_of_options(RuleOptions(rename=("ts=event_time",), set_=("source=Web Shop",)))
    found = preview(world.quarantine.records(ALL), rule, world.clock.now(), EventLimits())
    assert found.problems == {"bad_format": 4, "not_patchable": 1}
    rule = rule_of_options(RuleOptions(cast=("entity_id=int",)))
    found = preview(world.quarantine.records(ALL), rule, world.clock.now(), EventLimits())
    assert found.problems == {"step_failed": 4, "not_patchable": 1}


def test_recovery_sends_what_validates_and_marks_it(world) -> None:
    """Patched bytes with ids of their own, trace included; the hopeless one stays open."""
    progress, door = world.recover()
    assert (progress.selected, progress.sent, door.calls) == (5, 4, 1)
    assert progress.problems == {"not_patchable": 1}
    assert [event.event.event_id for event in door.events] == [
        "event-0", "event-1", "event-2", "event-7",
    ]  # fmt: skip
    assert (
        orjson.loads(door.events[3].data)["correlation_id"] == f"quarantine/{OTHER.shard_id}/100/0"
    )
    assert world.states() == {"recovered": 4, "open": 1}
    mark = world.quarantine.at(Place(SHARD.shard_id, 100)).mark
    assert (mark.who, mark.reason, mark.rule_hash) == ("ann", ANN.reason, RENAME.rule_hash)
    assert world.rules.find(mark.rule_hash) == RENAME


def test_the_second_recovery_does_nothing(world) -> None:
    """Nothing is sent, by the same rule or by another; no mark changes."""
    world.recover()
    marks = dict(world.marks.marks)
    for rule in (RENAME, rule_of_options(RuleOptions(rename=("ts=event_time",), drop=("x",)))):
        progress, door = world.recover(rule)
        assert (progress.sent, door.calls) == (0, 0)
        assert world.marks.marks == marks


def test_a_recovery_killed_before_its_marks_is_ended_by_the_same_rule_alone(world) -> None:
    """Another rule leaves alone what the first may have sent; the first sends the same events."""
    with pytest.raises(KeyboardInterrupt):
        world.recover(door=FakeDoor(before=die))
    assert world.states() == {"begun": 4, "open": 1}
    other = rule_of_options(RuleOptions(rename=("ts=event_time",), set_=("payload.v=2",)))
    progress, door = world.recover(other)
    assert (door.events, progress.begun_by_others) == ([], {RENAME.rule_hash: 4})
    progress, door = world.recover()
    assert (progress.sent, world.states()) == (4, {"recovered": 4, "open": 1})
    again = World().recover()[1]
    assert door.events == again.events, "the same bytes and ids at every attempt"


def die() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("after", [False, True])
def test_a_kill_at_any_call_is_ended_by_running_it_again(after) -> None:
    """Before or after each call to marks, rules and stream: all is sent, by the same ids, once."""
    expected = {(e.event.event_id, e.data) for e in World().recover()[1].events}
    killed = 0
    for number in range(100):
        world, tap, door = World(), Tap(number, die, after), FakeDoor()
        recovery = Recovery(
            tap.on(world.marks), tap.on(world.rules), tap.on(door), world.clock, EventLimits(),
            batch_events=2,
        )  # fmt: skip
        with suppress(KeyboardInterrupt):
            recovery.recover(world.quarantine.commits(recoverable(ALL)), RENAME, ANN, Progress())
        killed += tap.calls > number
        world.recover(door=door)
        assert {(e.event.event_id, e.data) for e in door.events} == expected
        assert len(door.events) <= len(expected) + 2, "one batch twice at most"
        assert world.states() == {"recovered": 4, "open": 1}
        if tap.calls <= number:
            break
    assert killed == 11  # a rule; two batches, the second over two commits, one read again


def test_somebody_who_marks_meanwhile_loses_nothing(world) -> None:
    """Recovery marks under the version it read: a drop in between keeps its records."""
    chosen = {"places": {Place(SHARD.shard_id, 100), Place(SHARD.shard_id, 101)}}
    stale = list(world.quarantine.commits(recoverable(replace(ALL, **chosen))))
    dropped = Dropped()
    commits = world.quarantine.commits(replace(ALL, places={Place(SHARD.shard_id, 100)}))
    Dropping(world.marks, world.clock).drop(commits, Actor("bo", "junk"), dropped)
    progress, door = Progress(), FakeDoor()
    recovery = Recovery(world.marks, world.rules, door, world.clock, EventLimits())
    recovery.recover(stale, RENAME, ANN, progress)
    assert (dropped.records, [str(e.place.seq) for e in door.events]) == (1, ["101"])
    assert world.states() == {"dropped": 1, "recovered": 1, "open": 3}


def test_batches_are_what_the_stream_takes_at_once() -> None:
    """500 events over several commits go in one call, never more; a limit stops in between."""
    world = World()
    for number in range(6):
        datas = [unnamed_time(1000 * number + n) for n in range(201)]
        commit, body = rejected_commit(datas, first_seq=1000 * (number + 1))
        world.commits.append((commit, body))
        world.objects.put_new(str(commit.head.quarantine_key), body)
    progress, door = world.recover(limit=1100)
    assert (progress.selected, progress.sent, door.calls) == (1100, 1099, 3)
    progress, door = world.recover()
    assert (progress.sent, len({event.event.event_id for event in door.events})) == (111, 111)
    assert world.states() == {"recovered": 1210, "open": 1}


def test_what_is_judged_otherwise_today_is_sent_as_it_is(world) -> None:
    """Without a step the very bytes are sent: a time that was ahead of its arrival, say."""
    ahead = event_bytes(1, event_time="2025-12-28T09:50:00Z")
    commit, body = rejected_commit([ahead], first_seq=900)
    world.commits.append((commit, body))
    world.objects.put_new(str(commit.head.quarantine_key), body)
    progress, door = world.recover(Rule())
    assert [event.data for event in door.events] == [ahead]
    assert progress.problems == {"missing_field": 4, "not_json": 1}


def test_dropped_records_are_never_recovered(world) -> None:
    """Dropping marks what is open, says by whom and why, and nothing is sent after it."""
    dropped = Dropped()
    Dropping(world.marks, world.clock).drop(
        world.quarantine.commits(ALL), Actor("bo", "a load test"), dropped
    )
    assert dropped.reasons == {"missing_field": 4, "not_json": 1}
    assert world.recover()[0] == Progress()
    mark = world.quarantine.at(Place(SHARD.shard_id, 103)).mark
    assert (mark.state, mark.who, mark.reason) == (State.DROPPED, "bo", "a load test")
    assert len(world.objects.keys("quarantine/")) == 2, "the bytes stay"


def test_the_fate_of_what_was_sent_is_told_from_commits() -> None:
    """Accepted, repeated, of another content, rejected again, or not there at all."""
    ledger = FakeLedger()
    owner = Owner(str(SHARD), 1, 0)
    repeats = {
        1: CommittedLine(101, 0, 0, owner),
        2: CommittedLine(102, 0, 0, owner, conflict=True),
    }
    commit, _ = commit_of([event_bytes(n) for n in range(3)], duplicates=repeats)
    head = replace(commit.head, last_seq=104)
    ledger.commits[SHARD, 100] = replace(commit, head=head)
    assert fates(ledger, {SHARD: {100, 101, 102, 104, 500}}) == {
        Fate.ACCEPTED: 1, Fate.DUPLICATE: 1, Fate.CONFLICT: 1, Fate.QUARANTINED: 1,
        Fate.MISSING: 1,
    }  # fmt: skip
