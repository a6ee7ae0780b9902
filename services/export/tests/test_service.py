"""Export on fakes: what files hold, also after crashes, late events and rivals."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from export.domain.completeness import PipelineProgress
from export.domain.files import Placement, Status
from export.domain.form import FileCompression, FileFormat, Form
from export.domain.routing import ArchiveTorn
from export.ports import UploadFailed
from export.service import Bounds
from millrace.errors import ConfigError, ObjectMissing
from millrace_testing.builders import enriched_event

pytestmark = pytest.mark.archival

CLIENTS = ("#en/wiki", "acme", "shop")
HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
HOUR_LABEL = "2025-12-28T09"
FORMS = [Form(each, compression) for each in FileFormat for compression in FileCompression]


class Crash(Exception):
    """The function died here."""


def crash():
    raise Crash


def ids(start, stop=60, step=3):
    return [f"event-{number:05}" for number in range(start, stop, step)]


def whole(world):
    return {client: sorted(world.events_of(client)) for client in CLIENTS}


ALL = {"acme": ids(0), "#en/wiki": ids(1), "shop": ids(2)}


def test_each_client_gets_a_file_of_its_events(world):
    """Files hold each event once, in the archive's order, under the client's encoded folder."""
    report = world.hourly().changed()
    assert whole(world) == ALL
    assert all(world.events_of(client) == sorted(world.events_of(client)) for client in CLIENTS)
    assert set(world.files.bodies) == {
        ("data", f"clients/{folder}/events-2025-12-28-09.{end}")
        for folder in ("acme", "%23en%2Fwiki", "shop")
        for end in ("json", "manifest.json")
    }
    (outcome,) = report.outcomes
    assert (outcome.status, outcome.clients, outcome.events) == (Status.COMPLETE, 3, 60)
    assert report.done
    assert world.dirty.tokens == {}


def test_a_file_holds_the_archived_bytes(world):
    """Rows are not written anew: an export is byte for byte what was archived."""
    world.hourly().changed()
    lines = {line for key in world.archive.bodies for line in world.archive.lines(key)}
    body = world.files.bodies["data", "clients/acme/events-2025-12-28-09.json"]
    assert set(body.splitlines(keepends=True)) <= lines


@pytest.mark.parametrize("form", FORMS, ids=lambda form: f"{form.format}-{form.compression}")
def test_every_form_holds_the_same_events(new_world, form):
    """NDJSON or array, plain or gzip; gzip says so in its name."""
    world = new_world(placement=Placement("data", {}, form))
    world.hourly().changed()
    assert whole(world) == ALL
    gzipped = form.compression is FileCompression.GZIP
    assert all(key.endswith((".json.gz" if gzipped else ".json", ".manifest.json"))
               for _, key in world.files.bodies)  # fmt: skip
    assert world.manifest_of("acme")["format"] == form.format


def test_the_manifest_says_what_the_file_holds(world):
    """Count, hash, sources and status, without a clock: a second run writes the same bytes."""
    world.hourly().changed()
    manifest = world.manifest_of("shop")
    assert (manifest["events"], manifest["status"]) == (20, "complete")
    assert [source["events"] for source in manifest["source_objects"]] == [6, 7, 7]
    hashes = sum(
        enriched_event(0, event_id=event_id).hash64 for event_id in world.events_of("shop")
    )
    assert manifest["input_hash"] == f"{hashes % 2**64:016x}"
    total = sum(int(world.manifest_of(client)["input_hash"], 16) for client in CLIENTS)
    archived = sum(row.input_hash for row in world.archive.rows[HOUR_LABEL].values())
    assert total % 2**64 == archived % 2**64


def test_a_second_run_writes_nothing(world):
    """Idempotent: asked for again, all files are found to be right."""
    world.hourly().changed()
    end, writes = world.end(), len(world.files.writes)
    report = world.hourly().asked([HOUR], None)
    assert (report.outcomes[0].written, len(world.files.writes)) == ([], writes)
    assert world.end() == end


def test_late_events_change_the_touched_clients_alone(world, new_events):
    """A new object for two clients rewrites theirs; the third file is not even looked at."""
    world.hourly().changed()
    before = dict(world.files.bodies)
    world.archived("archive/h/late-0.ndjson.zst", new_events(["acme", "new"], range(60, 64)))
    world.archive.reads.clear()
    (outcome,) = world.hourly().changed().outcomes
    assert sorted(outcome.written) == ["acme", "new"]
    changed = {key for at in world.files.bodies for key in [at[1]]
               if world.files.bodies[at] != before.get(at)}  # fmt: skip
    assert {key.split("/")[1] for key in changed} == {"acme", "new"}
    assert sorted(world.events_of("acme")) == sorted([*ids(0), "event-00060", "event-00062"])
    assert world.events_of("new") == ["event-00061", "event-00063"]


@pytest.mark.parametrize(
    "bounds", [Bounds(1, 1, 1), Bounds(3, 2, 700), Bounds(8, 4, 10**9)], ids=str
)
def test_files_do_not_depend_on_the_bounds(new_world, bounds):
    """Streamed one by one, in several passes or in one: the same bytes."""
    clean, world = new_world(), new_world(bounds=bounds)
    clean.hourly().changed()
    world.hourly().changed()
    assert world.files.bodies == clean.files.bodies


def test_one_pass_reads_each_object_once(world):
    """All clients together cost one read of the archive."""
    world.hourly().changed()
    assert set(world.archive.reads.values()) == {1}


def test_a_row_without_clients_is_counted_first(new_world, new_events):
    """Objects of very many clients are read to learn their clients, and exported all the same."""
    world = new_world()
    world.archived(
        "archive/h/wide-0.ndjson.gz", new_events(["acme", "x"], range(60, 70)), listed=False
    )
    world.hourly().changed()
    assert len(world.events_of("x")) == 5
    assert len(world.events_of("acme")) == 25


def test_one_client_alone(world):
    """Asked for one client, the others and the list of changed hours are left as they are."""
    world.hourly().asked([HOUR], "shop")
    assert {row.client_id for row in world.exports.rows.values()} == {"shop"}
    assert list(world.dirty.tokens) == [HOUR_LABEL]


def test_an_hour_without_events_makes_no_file(new_world):
    """Asked for an empty hour, nothing is written and nothing is wrong."""
    world = new_world()
    report = world.hourly().asked([HOUR - timedelta(days=1)], None)
    assert (report.outcomes[0].clients, world.files.bodies) == (0, {})


def test_an_hour_that_has_not_ended_waits(world):
    """The run at five past exports what has ended; by hand it is provisional."""
    world.clock.at = HOUR + timedelta(minutes=59)
    world.progress.seen = PipelineProgress(world.clock.at, None, ())
    assert world.hourly().changed().outcomes == []
    (outcome,) = world.hourly().asked([HOUR], None).outcomes
    assert outcome.status is Status.PROVISIONAL
    assert list(world.dirty.tokens) == [HOUR_LABEL]


def test_a_provisional_hour_becomes_complete(world):
    """While a commit is on its way the hour stays listed; then only the manifests change."""
    world.progress.seen = PipelineProgress(world.clock.at, None, (None,))
    world.hourly().changed()
    assert {world.manifest_of(client)["status"] for client in CLIENTS} == {"provisional"}
    assert list(world.dirty.tokens) == [HOUR_LABEL]
    files = {at: body for at, body in world.files.bodies.items() if "manifest" not in at[1]}
    world.progress.seen = PipelineProgress(world.clock.at, None, ())
    world.archive.reads.clear()
    (outcome,) = world.hourly().changed().outcomes
    assert (outcome.written, sorted(outcome.relabelled)) == ([], sorted(CLIENTS))
    assert {world.manifest_of(client)["status"] for client in CLIENTS} == {"complete"}
    assert files.items() <= world.files.bodies.items()
    assert not world.archive.reads
    assert world.dirty.tokens == {}


def test_missed_hours_are_caught_up(new_world, new_events):
    """Whatever hours wait, the next run exports, the earliest first."""
    world = new_world()
    for back in (5, 2):
        events = [
            replace(event, event_time=event.event_time - timedelta(hours=back))
            for event in new_events(["acme"], range(100, 103))
        ]
        world.archived(f"archive/h-{back}/c-0.ndjson.gz", events)
    report = world.hourly().changed()
    assert [outcome.hour[-2:] for outcome in report.outcomes] == ["04", "07", "09"]
    assert world.dirty.tokens == {}


def test_a_hour_that_fails_does_not_stop_the_others(new_world, new_events):
    """One torn object keeps its hour on the list, named; the rest is exported."""
    world = new_world()
    early = [replace(event, event_time=event.event_time - timedelta(hours=1))
             for event in new_events(["acme"], range(3))]  # fmt: skip
    world.archived("archive/h8/c-0.ndjson.gz", early)
    world.archive.bodies["archive/h8/c-0.ndjson.gz"] = world.archive.bodies[
        "archive/h/c0-0.ndjson.gz"
    ]
    report = world.hourly().changed()
    (failed,) = report.failed
    assert (failed.hour, "archive/h8/c-0.ndjson.gz" in failed.error) == ("2025-12-28T08", True)
    assert len(world.events_of("acme")) == 20
    assert list(world.dirty.tokens) == ["2025-12-28T08"]


def test_a_torn_object_makes_no_file(world):
    """An object with another hash than its row's is refused before anything is written."""
    key = "archive/h/c1-0.ndjson.gz"
    rows = world.archive.rows[HOUR_LABEL]
    rows[key] = replace(rows[key], input_hash=1)
    with pytest.raises(ArchiveTorn, match=key):
        world.export().export(HOUR, Status.COMPLETE)
    assert world.files.bodies == {}


def test_a_missing_object_makes_no_file(world):
    """An object that a lifecycle rule removed too early is named."""

    def lines(key):
        raise ObjectMissing(key)

    world.archive.lines = lines
    with pytest.raises(ObjectMissing):
        world.export().export(HOUR, Status.COMPLETE)


def test_a_place_is_settled_once(new_world, new_events):
    """Settings changed between two exports of an hour move no file: late events join the first."""
    world = new_world()
    world.hourly().changed()
    world.placement = Placement("data", {"acme": "acme-own"}, Form(FileFormat.ARRAY))
    world.archived("archive/h/late-0.ndjson.gz", new_events(["acme", "new"], range(60, 62)))
    world.hourly().changed()
    assert len(world.events_of("acme")) == 21
    acme = [at for at in world.files.bodies if "acme" in at[1]]
    assert {bucket for bucket, _ in acme} == {"data"}
    assert world.exports.rows[HOUR_LABEL, "new"].place.form.format is FileFormat.ARRAY


def test_a_mapped_client_has_its_own_bucket(new_world):
    """File and manifest go to the client's bucket, under the same key."""
    world = new_world(placement=Placement("data", {"acme": "acme-own"}, Form()))
    world.hourly().changed()
    assert {bucket for bucket, key in world.files.bodies if "/acme/" in key} == {"acme-own"}
    assert len(world.events_of("acme")) == 20


def test_time_that_runs_out_leaves_the_rest_to_the_next_run(new_world):
    """Clients that are done are not done again; the hour stays listed until all are."""
    world = new_world(bounds=Bounds(1, 1, 1))
    answers = iter([True, True, True, False])
    report = world.hourly().changed(lambda: next(answers, False))
    (outcome,) = report.outcomes
    assert 0 < len(outcome.written) < 3
    assert outcome.left == 3 - len(outcome.written)
    assert not report.done
    assert list(world.dirty.tokens) == [HOUR_LABEL]
    (rest,) = world.hourly().changed().outcomes
    assert sorted([*outcome.written, *rest.written]) == sorted(CLIENTS)
    assert whole(world) == ALL


def calls_of(new_world, new_tap, **fields):
    tap = new_tap(-1, crash)
    new_world(**fields).hourly(tap).changed()
    return tap.calls


ONE_BY_ONE = Bounds(1, 1, 10_000_000)


@pytest.mark.parametrize("bounds", [ONE_BY_ONE, Bounds(1, 1, 1)], ids=["spill", "stream"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_anywhere_is_mended_by_the_next_run(new_world, new_tap, after, bounds):
    """Stopped before or after any call, the next run comes to the end of a clean one."""
    clean = new_world(bounds=bounds)
    clean.hourly().changed()
    calls = calls_of(new_world, new_tap, bounds=bounds)
    assert calls > 20
    for call in range(calls):
        world = new_world(bounds=bounds)
        with pytest.raises(Crash):
            world.hourly(new_tap(call, crash, after)).changed()
        world.hourly().changed()
        assert world.end() == clean.end(), f"stopped at call {call}"


def test_a_rival_inside_any_call(new_world, new_tap):
    """A second run that goes whole inside any call of the first: the end of a clean run."""
    clean = new_world(bounds=ONE_BY_ONE)
    clean.hourly().changed()
    for call in range(calls_of(new_world, new_tap, bounds=ONE_BY_ONE)):
        for after in (False, True):
            world = new_world(bounds=ONE_BY_ONE)
            tap = new_tap(call, lambda w=world: w.hourly().changed(), after)
            world.hourly(tap).changed()
            assert world.end() == clean.end(), f"the rival came at call {call}"


def test_late_events_inside_any_call(new_world, new_events, new_tap):
    """Events archived, and exported by a rival, while a run sleeps are never overwritten."""
    late = new_events(["acme", "late"], range(60, 64))
    clean = new_world()
    clean.archived("archive/h/late-0.ndjson.gz", late)
    clean.hourly().changed()
    for call in range(calls_of(new_world, new_tap, bounds=ONE_BY_ONE)):
        for after in (False, True):
            world = new_world(bounds=ONE_BY_ONE)

            def meanwhile(world=world):
                world.archived("archive/h/late-0.ndjson.gz", late)
                world.hourly().changed()

            world.hourly(new_tap(call, meanwhile, after)).changed()
            world.hourly().changed()
            assert world.end() == clean.end(), f"late events came at call {call}"


def test_a_store_that_is_down_is_counted(new_world):
    """Uploads that fail leave the hour listed and are told apart from other failures."""
    world = new_world()

    def write(*args):
        raise UploadFailed("SlowDown")

    world.files.write = write
    report = world.hourly().changed()
    assert (report.failed_uploads, len(report.failed), report.not_exported) == (3, 1, 1)
    assert "SlowDown" in report.failed[0].error
    assert list(world.dirty.tokens) == [HOUR_LABEL]


@pytest.mark.parametrize("method", ["version", "write"])
@pytest.mark.parametrize("bounds", [Bounds(2, 2, 10**7), Bounds(2, 2, 1)], ids=["spill", "stream"])
def test_a_client_that_fails_stops_no_other(new_world, monkeypatch, method, bounds):
    """One client's bucket is gone: it is named, the others have their files, the hour waits."""
    world = new_world(placement=Placement("data", {"acme": "gone"}, Form()), bounds=bounds)
    working = getattr(world.files, method)

    def failing(place, *rest):
        if "gone" in str(place):
            raise ConfigError("NoSuchBucket")
        return working(place, *rest)

    monkeypatch.setattr(world.files, method, failing)
    report = world.hourly().changed()
    assert [each.error for each in report.failed] == ["1 clients failed; acme: NoSuchBucket"]
    assert (world.events_of("shop"), world.events_of("#en/wiki")) == (ids(2), ids(1))
    assert list(world.dirty.tokens) == [HOUR_LABEL]
    monkeypatch.setattr(world.files, method, working)
    (outcome,) = world.hourly().changed().outcomes
    assert (outcome.written, whole(world)) == (["acme"], ALL)


def test_a_spill_that_is_full_is_done_in_halves(new_world):
    """Estimates may be wrong: where the room does not suffice, fewer clients share a pass."""
    clean, world = new_world(), new_world(spill_limit=1)
    clean.hourly().changed()
    world.hourly().changed()
    assert world.files.bodies == clean.files.bodies
    assert max(world.archive.reads.values()) > 1
