"""Archive on fakes: what is stored and marked, also when it is stopped on the way."""

from dataclasses import replace
from datetime import timedelta

import pytest

from archive.service import Archived, NotACommit, UploadFailed
from archive.stamp import BadStamp
from millrace.archive_layout import ArchiveLayout, Compression
from millrace.errors import CommitMissing, ObjectMissing, RetryableError
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, enriched_event
from millrace_testing.fakes import FixedClock

pytestmark = pytest.mark.archival

CALLS = 8  # head, get the enriched object, three parts, manifest rows, dirty hours, mark
HOUR_8 = "archive/year=2025/month=12/day=28/hour=08/1a2b3c4d-shardId-000000000000-100"
HOUR_9 = "archive/year=2025/month=12/day=28/hour=09/1a2b3c4d-shardId-000000000000-100"


LAYOUTS = [
    {"archive_compression": "zstd", "archive_level": "19"},
    {"archive_compression": "gzip", "archive_level": "1"},
    {"archive_partitions": "dt={year}-{month}-{day}/h={hour}"},
]


class Crash(Exception):
    """The function died here."""


def crash():
    raise Crash


def test_a_commit_is_archived_by_hour(world):
    """Events lie under their hours, cut as the object is stamped, numbered over the commit."""
    assert world.run() == Archived(5, 3, already_marked=False)
    ids = {key: [each.event_id for each in events] for key, events in world.archived().items()}
    assert ids == {
        f"{HOUR_8}-0.ndjson.gz": ["event-1", "event-4"],
        f"{HOUR_9}-1.ndjson.gz": ["event-0", "event-2"],
        f"{HOUR_9}-2.ndjson.gz": ["event-3"],
    }
    assert world.mark() == {"at": format_ms(ARRIVAL), "objects": 3, "events": 5}


def test_objects_and_manifest_rows_say_the_same(world):
    """Metadata, tags and manifest row of an object agree with its content."""
    world.run()
    rows = {row.object_key: row for row in world.manifests.stored.values()}
    assert rows.keys() == world.archived().keys()
    for key, events in world.archived().items():
        row, labels = rows[key], world.objects.metadata[key]
        assert labels == world.objects.tags[key]
        assert labels["events"] == str(row.events) == str(len(events))
        assert labels["input-hash"] == row.input_hash
        assert row.input_hash == f"{sum(each.hash64 for each in events) % 2**64:016x}"
        assert labels["first-event-time"] == format_ms(row.first_event_time)
        assert labels["last-event-time"] == format_ms(row.last_event_time)
        assert row.size_bytes == len(world.objects.bodies[key])
        assert row.clients == {"web": len(events)}
        assert row.commit_id == world.reference.commit_id
        assert key.split("hour=")[1].startswith(row.hour[-2:])


def test_the_cut_is_the_objects_own(new_world):
    """The stamp on the object decides, so two objects may be cut by different settings."""
    one_each = new_world(archive_max_events="1")
    assert one_each.run().objects == 5
    by_bytes = new_world(archive_max_events="9", archive_max_bytes="1")
    assert by_bytes.run().objects == 5
    by_hour = new_world(archive_max_events="9")
    assert by_hour.run().objects == 2


@pytest.mark.parametrize("stamp", LAYOUTS, ids=lambda stamp: "-".join(stamp.values()))
def test_the_layout_is_the_objects_own(new_world, stamp):
    """Compression, level and folders follow the stamp; the events are the same."""
    plain, other = new_world(), new_world(**stamp)
    plain.run()
    other.run()
    key = next(iter(other.archived()))
    assert key.endswith(".zst" if stamp.get("archive_compression") == "zstd" else ".gz")
    if "archive_partitions" in stamp:
        assert key.startswith("archive/dt=2025-12-28/h=")
    assert sorted(map(str, other.archived().values())) == sorted(
        map(str, plain.archived().values())
    )


@pytest.mark.parametrize("call", range(CALLS))
def test_settings_changed_between_two_attempts(new_world, new_tap, call):
    """A stopped commit ends as it began, whatever enrich is told since: nothing lost or doubled."""
    clean = new_world()
    clean.run()
    world = new_world()
    with pytest.raises(Crash):
        world.disturbed(new_tap(call, crash, after=True))
    world.restamp(ArchiveLayout(1, 1, Compression.ZSTD, 9, "dt={year}-{month}-{day}/h={hour}"))
    world.run()
    assert world.end() == clean.end()


def test_a_replayed_object_never_enters(world):
    """A reference to another object than the commit's own, as replays have, is refused."""
    world.reference = replace(world.reference, enriched_key="enriched/replay=r1/part-0.ndjson.gz")
    with pytest.raises(NotACommit, match="replayed events never enter"):
        world.run()
    assert (world.archived(), world.mark()) == ({}, None)


def test_an_upload_that_fails_is_told_apart(new_world, new_tap):
    """A store that is down makes a failure that metrics can count, and that may pass."""

    def down():
        raise RetryableError("SlowDown")

    with pytest.raises(UploadFailed, match="SlowDown"):
        new_world().disturbed(new_tap(2, down))


def test_hours_are_noted_after_their_rows(new_world, new_tap):
    """Whenever an hour is noted as changed, each row of the commit is there to be exported."""
    world = new_world()

    def look():
        if world.dirty_hours.touched:
            assert len(world.manifests.stored) == 3
            assert set(world.dirty_hours.touched) == {"2025-12-28T08", "2025-12-28T09"}

    for call in range(CALLS):
        new_world().disturbed(new_tap(call, look, after=True))
    world.disturbed(new_tap(CALLS - 1, look))
    assert world.dirty_hours.touched


def test_a_commit_without_events_ends_well(new_world):
    """An empty object leaves no part, and the commit is marked all the same."""
    world = new_world([])
    assert world.run() == Archived(0, 0, already_marked=False)
    assert world.archived() == {}
    assert world.mark()["objects"] == 0


def test_a_redelivered_reference_changes_nothing(world):
    """Delivered three times, at other times too, everything is as after the first."""
    world.run()
    end = world.end()
    for _ in range(2):
        later = FixedClock(ARRIVAL + timedelta(days=1))
        assert world.run(clock=later) == Archived(0, 0, already_marked=True)
    assert world.end() == end


def test_a_marked_commit_needs_its_object_no_more(world):
    """A reference that comes after the enriched object expired is done, not an error."""
    world.run()
    del world.objects.bodies[world.reference.enriched_key]
    assert world.run().already_marked


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


@pytest.mark.parametrize("second", range(CALLS))
@pytest.mark.parametrize("first", range(CALLS - 1))
def test_two_crashes_are_mended_too(new_world, new_tap, first, second):
    """Whatever two attempts left behind, the third comes to the end of a clean run."""
    clean = new_world()
    clean.run()
    world = new_world()
    for call in (first, second):
        with pytest.raises(Crash):
            world.disturbed(new_tap(call, crash))
    world.run()
    assert world.end() == clean.end()


@pytest.mark.parametrize("call", range(CALLS))
def test_an_overlapping_attempt_changes_nothing(new_world, new_tap, call):
    """A second attempt that runs whole inside the first leaves the end of a clean run."""
    clean = new_world()
    clean.run()
    world = new_world()
    world.disturbed(new_tap(call, world.run))
    assert world.end() == clean.end()


def test_the_crash_points_are_all_of_them(new_world, new_tap):
    """A clean run makes eight calls, so none was forgotten above."""
    tap = new_tap(-1, crash)
    new_world().disturbed(tap)
    assert tap.calls == CALLS


@pytest.mark.parametrize("call", range(CALLS))
def test_a_manifest_row_never_names_a_missing_object(new_world, new_tap, call):
    """At each moment every manifest row has its object, and a marked commit all of both."""
    world = new_world()

    def look():
        there = set(world.archived())
        named = {row.object_key for row in world.manifests.stored.values()}
        assert named <= there
        if world.mark() is not None:
            assert len(named) == world.mark()["objects"] == 3

    world.disturbed(new_tap(call, look, after=True))


def test_an_object_without_a_cut_is_refused(new_world):
    """No cut is guessed: the commit fails and nothing is archived."""
    world = new_world(archive_max_events="")
    with pytest.raises(BadStamp, match="archive-max-events"):
        world.run()
    assert (world.archived(), world.mark()) == ({}, None)


def test_a_missing_enriched_object_is_named(world):
    """An unmarked commit whose object is gone fails with its key."""
    del world.objects.bodies[world.reference.enriched_key]
    with pytest.raises(ObjectMissing, match="enriched/"):
        world.run()


def test_a_commit_that_is_not_there_is_retried(world):
    """An unknown commit is a passing fault, and nothing is archived for it."""
    world.reference = replace(world.reference, first_seq=404)
    with pytest.raises(CommitMissing):
        world.run()
    assert world.archived() == {}


def test_the_same_object_gives_the_same_bytes(new_world):
    """Two attempts write the same bytes, so it does not matter whose put came first."""
    events = [enriched_event(n) for n in range(200)]
    worlds = new_world(events, archive_max_events="7"), new_world(events, archive_max_events="7")
    for world in worlds:
        world.run()
    assert worlds[0].end() == worlds[1].end()
