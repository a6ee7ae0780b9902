"""Enrich on fakes: what is stored, marked and sent, also when it is stopped on the way."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from enrich.cache import CachedAssignments
from enrich.domain import CorruptCommit, Gaps
from enrich.service import Enrichment, publish_definitions
from enrich.stamp import Stamp
from millrace.archive_layout import ArchiveLayout
from millrace.commit import Checkpoint
from millrace.errors import CommitMissing, ConfigError, ObjectMissing
from millrace.index_reading import EntityEvents
from millrace.raw_lines import pack
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes
from millrace_testing.fakes import FixedClock

pytestmark = pytest.mark.enrichment

CALLS = 10  # load, raw object, assignments, experiments, put, buckets, pages, mark, send, send
PUT = 4
BUCKETS, PAGES, MARK = 5, 6, 7
SPAN = ARRIVAL - timedelta(days=1), ARRIVAL
OTHER_STAMP = Stamp("fedcba9876543210", ArchiveLayout(max_events=1, max_bytes=1))


class Crash(Exception):
    """The function died here."""


def crash():
    raise Crash


def test_a_commit_is_enriched(world):
    """Accepted events are stored once, stamped, marked, and both queues hear of it."""
    done = world.run()
    assert done == Enrichment(3, already_marked=False, gaps=Gaps(1, events_before_assignment=1))
    assert [each.event_id for each in world.rows()] == ["event-0", "event-2", "event-3"]
    assert world.objects.metadata[world.key] == {
        "defs-version": "0123456789abcdef",
        "archive-max-events": "10",
        "archive-max-bytes": "5000",
        "archive-compression": "gzip",
        "archive-level": "6",
        "archive-partitions": "year={year}/month={month}/day={day}/hour={hour}",
    }
    assert world.mark() == {
        "at": format_ms(ARRIVAL),
        "key": world.key,
        "events": 3,
        "defs_version": "0123456789abcdef",
    }
    (sent,) = world.sent()
    assert (sent.enriched_key, sent.defs_version) == (world.key, "0123456789abcdef")
    assert (sent.commit_id, sent.raw_key, sent.correlation_id) == (
        world.reference.commit_id,
        world.reference.raw_key,
        "corr-1",
    )


def test_every_event_is_indexed(world):
    """Each line is found under its entity and time, the duplicate on request, by its line."""
    world.run()
    reader = EntityEvents(world.index)
    for n in range(4):
        seen = list(reader.all_events_of(f"user_{n}", *SPAN, include_duplicates=True))
        assert [(each.line, each.duplicate) for each in seen] == [(n, n == 1)]
        assert seen[0].commit_id == world.reference.commit_id
    assert list(reader.all_events_of("user_1", *SPAN)) == []


@pytest.mark.parametrize("call", range(MARK + 1))
def test_a_marked_commit_is_indexed(new_world, new_tap, call):
    """Stopped anywhere, a commit never carries its mark without all of its pages."""
    clean = new_world(events=50)
    clean.run()
    world = new_world(events=50)
    with pytest.raises(Crash):
        world.disturbed(new_tap(call, crash, after=True))
    assert (world.mark() is not None) == (call == MARK)
    assert (world.index.pages == clean.index.pages) == (call >= PAGES)


@pytest.mark.parametrize("call", [BUCKETS, PAGES, MARK])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_another_bucket_count_between_two_attempts(new_world, new_tap, call, after):
    """With another setting in the second attempt every event is still found, and found once."""
    world = new_world(events=50)
    with pytest.raises(Crash):
        world.disturbed(new_tap(call, crash, after))
    world.index.buckets = 3
    world.run()
    reader = EntityEvents(world.index)
    found = [
        entry.line
        for n in range(7)
        for entry in reader.all_events_of(f"user_{n}", *SPAN, include_duplicates=True)
    ]
    assert sorted(found) == list(range(50))


def test_half_the_pages_written(new_world):
    """Killed with some of the pages written: the next attempt completes them, with equal ones."""
    clean = new_world(events=50)
    clean.run()
    world = new_world(events=50)
    index = world.index

    class Half:
        settled_buckets = index.settled_buckets

        def write(self, pages):
            assert len(pages) > 1
            index.write(pages[: len(pages) // 2])
            raise Crash

    with pytest.raises(Crash):
        world.run(index=Half())
    assert world.mark() is None
    written = [page for place in index.pages.values() for page in place.values()]
    world.run()
    assert all(page in index.pages[page.place].values() for page in written)
    assert world.end() == clean.end()


def test_rows_carry_assignments_metadata_and_unknown_keys(world):
    """A row has its entity's variant, that experiment's metadata, and what else was sent."""
    world.run()
    first, second, third = world.rows()
    assert [each.variant for each in first.assignments] == ["A"]
    assert first.experiments == {"e1": {"owner": "growth"}}
    assert second.assignments[0].seconds_since_assignment < 0
    assert (third.assignments, third.experiments) == ((), {})
    assert first.extra == {"colour": "blue"}


def test_assignments_are_asked_once_per_entity(new_world):
    """However many events there are, each entity and each of their experiments is asked once."""
    world = new_world(events=50)
    world.run()
    (entities,) = world.assignments.asked
    assert sorted(entities) == [f"user_{n}" for n in range(7)]
    assert world.experiments.asked == [["e1"]]


def test_without_assignments_no_experiment_is_asked_for(world):
    """Where nobody is in an experiment, none is looked up."""
    world.assignments.stored.clear()
    assert world.run().gaps == Gaps(entities_unassigned=3)
    assert world.experiments.asked == []


def test_a_commit_of_duplicates_alone_ends_well(new_world):
    """With no accepted event the object is empty, stamped, and the stages go on."""
    world = new_world(events=2)
    commit = world.ledger.load(SHARD, 100)
    both = replace(commit.body, lines=(commit.body.lines[1],) * 2)
    world.ledger.commits[SHARD, 100] = replace(commit, body=both)
    assert world.run().events == 0
    assert world.rows() == []
    assert world.run(stamp=OTHER_STAMP).already_marked
    (sent,) = world.sent()
    assert sent.defs_version == "0123456789abcdef"


def test_a_redelivered_reference_changes_nothing(world):
    """Delivered three times, the object and the mark are the first ones; messages repeat."""
    world.run()
    end = world.end()
    for _ in range(2):
        done = world.run(stamp=OTHER_STAMP)
        assert (done.events, done.already_marked) == (0, True)
    assert world.end() == end


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS))
def test_a_crash_anywhere_is_mended_by_redelivery(new_world, new_tap, call, after):
    """Stopped before or after any call, the next delivery comes to the end of a clean run."""
    clean = new_world()
    clean.run()
    world = new_world()
    with pytest.raises(Crash):
        world.disturbed(new_tap(call, crash, after))
    world.run()
    assert world.end() == clean.end()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS))
def test_a_deploy_between_two_attempts_leaves_one_version(new_world, new_tap, call, after):
    """With other definitions and cuts in the second attempt, all who follow see one stamp."""
    world = new_world()
    with pytest.raises(Crash):
        world.disturbed(new_tap(call, crash, after))
    world.assignments.add("user_3", "e1", "A", format_ms(ARRIVAL))
    world.run(stamp=OTHER_STAMP)
    _assert_one_version(world)


@pytest.mark.parametrize("ttl_s", [0, 60, 3600], ids=["nothing kept", "run out", "kept"])
def test_a_cache_between_two_attempts_does_not_matter(new_world, new_tap, ttl_s):
    """Whatever of the assignments is still kept when they changed, the first object stands."""
    world = new_world()
    clock, ttl = FixedClock(ARRIVAL), timedelta(seconds=ttl_s)
    cached = CachedAssignments(world.assignments, clock, ttl=ttl, absent_ttl=ttl, at_most=100)
    world = replace(world, service=replace(world.service, assignments=cached))
    with pytest.raises(Crash):
        world.disturbed(new_tap(PUT, crash, after=True))
    first = world.objects.bodies[world.key]
    world.assignments.add("user_0", "e1", "B", format_ms(ARRIVAL))
    world.assignments.add("user_3", "e1", "A", format_ms(ARRIVAL))
    clock.advance(timedelta(seconds=60))
    world.run()
    assert world.objects.bodies[world.key] == first
    assert [[each.variant for each in row.assignments] for row in world.rows()] == [
        ["A"],
        ["B"],
        [],
    ]
    _assert_one_version(world)


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("call", range(CALLS + 1))
def test_a_second_crash_is_mended_too(new_world, new_tap, call, after):
    """An attempt that finds another's object (one call more) may be stopped anywhere as well."""
    world = new_world()
    with pytest.raises(Crash):
        world.disturbed(new_tap(PUT, crash, after=True))
    with pytest.raises(Crash):
        replace(world, service=replace(world.service, stamp=OTHER_STAMP)).disturbed(
            new_tap(call, crash, after)
        )
    world.run(stamp=OTHER_STAMP)
    _assert_one_version(world)
    assert world.mark()["defs_version"] == "0123456789abcdef"


@pytest.mark.parametrize("call", range(CALLS))
def test_an_overlapping_attempt_leaves_one_version(new_world, new_tap, call):
    """A second attempt that runs whole inside the first: one object, one stamp everywhere."""
    world = new_world()
    world.disturbed(new_tap(call, lambda: world.run(stamp=OTHER_STAMP)))
    _assert_one_version(world)


def _assert_one_version(world):
    (sent,) = world.sent()
    versions = {
        sent.defs_version,
        world.mark()["defs_version"],
        world.objects.metadata[world.key]["defs-version"],
        *(row.defs_version for row in world.rows()),
    }
    assert len(versions) == 1
    assert len(world.rows()) == world.mark()["events"] == 3


def test_the_crash_points_are_all_of_them(new_world, new_tap):
    """A clean run makes ten calls, so none was forgotten above."""
    tap = new_tap(-1, crash)
    new_world().disturbed(tap)
    assert tap.calls == CALLS


def test_a_marked_commit_is_not_written_anew_when_its_object_expired(world):
    """What downstream computed from the first object must not meet a second one."""
    world.run()
    end = world.end()
    del world.objects.bodies[world.key]
    assert world.run(stamp=OTHER_STAMP).already_marked
    assert world.key not in world.objects.bodies
    assert world.sent() == end["sent"]


def test_an_object_without_a_stamp_is_refused(world):
    """Nobody but enrich writes there; what follows would compute from an unknown version."""
    world.objects.put_new(world.key, b"")
    with pytest.raises(CorruptCommit, match="defs-version"):
        world.run()
    assert world.mark() is None
    assert world.sent() == []


def test_a_missing_raw_object_is_named(world):
    """Without its raw object a commit fails, and nothing downstream hears of it."""
    del world.objects.bodies[world.reference.raw_key]
    with pytest.raises(ObjectMissing, match="raw/"):
        world.run()
    assert world.sent() == []


def test_a_commit_that_is_not_there_yet_is_retried(world):
    """An unknown commit is a passing fault."""
    world.reference = replace(world.reference, first_seq=404)
    with pytest.raises(CommitMissing):
        world.run()


def test_a_commit_without_events_is_refused(new_world):
    """No reference is ever made for a commit of rejected records alone."""
    world = new_world()
    commit, _ = commit_of([event_bytes(0)], first_seq=500)
    empty = replace(commit, head=replace(commit.head, raw_key=None))
    before = world.ledger.read(SHARD)
    world.ledger.commit(before, Checkpoint(before.version + 1, 500, ()), empty)
    world.reference = replace(world.reference, first_seq=500)
    with pytest.raises(CorruptCommit, match="no event"):
        world.run()


def test_the_same_commit_gives_the_same_bytes(new_world):
    """Two attempts that see the same tables write the same object."""
    worlds = new_world(), new_world()
    for world in worlds:
        world.run()
    bodies = {world.objects.bodies[world.key] for world in worlds}
    assert len(bodies) == 1
    assert bodies == {pack([row.to_line() for row in worlds[0].rows()]).body}


def test_definitions_are_published_under_their_hash(stamped_objects):
    """The deployed definitions can be found by version, however often they are published."""
    body = (
        b'[[metric]]\nname = "events"\nkind = "count"\ndimensions = ["type"]\nwindows = ["day"]\n'
    )
    stamped_objects.put_new("config/metrics-1.toml", body)
    versions = {publish_definitions(stamped_objects, "config/metrics-1.toml") for _ in range(2)}
    assert versions == {sha256(body).hexdigest()[:16]}
    (version,) = versions
    assert stamped_objects.get(f"definitions/{version}.toml") == body


def test_missing_definitions_name_the_setting(stamped_objects):
    """A deployment without its definitions says which variable is wrong."""
    with pytest.raises(ConfigError, match=r"METRICS_KEY.*config/none\.toml"):
        publish_definitions(stamped_objects, "config/none.toml")


def test_broken_definitions_are_not_published(stamped_objects):
    """Definitions that aggregate could not read stop enrich before anything is stamped."""
    stamped_objects.put_new("config/metrics-1.toml", b'[[metric]]\nname = "events"\n')
    with pytest.raises(ConfigError, match=r"config/metrics-1\.toml: metric events: kind"):
        publish_definitions(stamped_objects, "config/metrics-1.toml")
    assert stamped_objects.keys("definitions/") == []
