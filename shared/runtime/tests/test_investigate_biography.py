"""An event's biography, out of what each stage left behind, and what it says when that is gone."""

from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from millrace.aggregates import LIVE, AggregateRow, Version
from millrace.commit import Checkpoint, CommittedLine, Owner, ShardKey, Stage
from millrace.counting.scoping import rows_of
from millrace.definitions import parse
from millrace.enriched import Assignment, normalised
from millrace.event import read_event
from millrace.index import pages_of
from millrace.investigate.biographer import Biographer
from millrace.investigate.biography import Standing, index_entry_of
from millrace.investigate.counted import CountTrail
from millrace.investigate.errors import NotFound
from millrace.investigate.finding import EventFinder, Wanted
from millrace.investigate.record import Records
from millrace.investigate.retold import ReplayTrail
from millrace.keys import definitions_key, enriched_key
from millrace.quarantine.marks import CommitKey, CommitMarks, Mark, State
from millrace.raw_lines import pack
from millrace.read_cost import Budget, ReadCost
from millrace.replay.progress import ProcessedObject, SkippedEvent, place_hash
from millrace.replay.record import ReplayState
from millrace.replay.selection import Selection
from millrace.times import format_ms, to_epoch_ms
from millrace_testing.builders import ARRIVAL, SHARD, commit_of, event_bytes, index_entry
from millrace_testing.fakes import FakeIndex, FakeLedger, FakeObjects, FixedClock
from millrace_testing.investigation import (
    FakeCommitPages,
    FakeGate,
    FakeManifests,
    FakeRows,
    unbounded,
)
from millrace_testing.metrics import metric
from millrace_testing.quarantine import FakeMarks
from millrace_testing.replays import FakeReplays, audit_entry, replay_plan, replay_record

OTHER_SHARD = ShardKey(SHARD.incarnation, "shardId-000000000001")
DEFINITIONS = metric("event_count", dimensions=("type", "entity", "experiment")) + metric(
    "replayed_only", windows=("day",), mode="replay"
)
DEFS = parse(DEFINITIONS, "m").version
EVENT_ID = "event-1"
WANTED = Wanted(EVENT_ID, "web")
MARKED_AT = format_ms(ARRIVAL + timedelta(seconds=3))
HOUR = "2025-12-28T09"
ARCHIVE_KEY = "archive/year=2025/month=12/day=28/hour=09/c-0.ndjson.gz"


class World:
    """Everything that the stages leave, in memory."""

    def __init__(self) -> None:
        self.ledger, self.objects, self.index = FakeLedger(), FakeObjects(), FakeIndex()
        self.gate, self.rows, self.manifests = FakeGate(), FakeRows(), FakeManifests()
        self.replays = FakeReplays()
        self.clock = FixedClock(ARRIVAL + timedelta(days=1))

    @property
    def biographer(self) -> Biographer:
        pages = FakeCommitPages(self.ledger)
        finder = EventFinder(self.gate, self.ledger, self.index, self.objects)
        counts = CountTrail(self.objects, self.rows)
        trail = ReplayTrail(self.replays)
        return Biographer(finder, pages, self.objects, counts, self.manifests, trail, self.clock)

    def tell(self, wanted=WANTED, **options):
        return self.biographer.write(wanted, unbounded(), **options)

    def commit(self, lines, *, shard=SHARD, duplicates=None):
        commit, raw = commit_of(lines, shard=shard, duplicates=duplicates)
        self.ledger.commit(Checkpoint(), Checkpoint(1), commit)
        self.objects.put_new(str(commit.head.raw_key), raw)
        return commit

    def mark(self, stage, **fields):
        self.ledger.mark(SHARD, 100, stage, {"at": MARKED_AT} | fields)

    def index_lines(self, shard, lines, duplicates=()):
        entries = [
            replace(index_entry(), **fields, shard=shard, line=n, duplicate=n in duplicates)
            for n, fields in enumerate(lines)
        ]
        days = self.index.settled_buckets({entry.day for entry in entries})
        self.index.write(pages_of(entries, ARRIVAL, days))


def fields_of(number, **fields):
    event = read_event(event_bytes(number, **fields))
    return {
        "event_id": event.event_id,
        "entity_id": event.fields.entity_id,
        "event_time": event.event_time,
    }


@pytest.fixture
def committed() -> World:
    """Two events; the second one came again on another shard, a minute later."""
    world = World()
    world.commit([event_bytes(0), event_bytes(1)])
    owner = Owner(str(SHARD), 101, 0)
    world.gate.owners["web", EVENT_ID] = owner
    later_ms = to_epoch_ms(ARRIVAL + timedelta(minutes=1))
    copy = CommittedLine(100, 0, later_ms, owner)
    world.commit([event_bytes(1)], shard=OTHER_SHARD, duplicates={0: copy})
    return world


def enriched_row():
    event = normalised(read_event(event_bytes(1)), to_epoch_ms(ARRIVAL), DEFS)
    return replace(event, assignments=(Assignment("e1", "A", ARRIVAL, 1.0),))


@pytest.fixture
def lived(committed) -> World:
    """The same, come to its end: enriched, counted, archived and exported."""
    world, commit_id = committed, f"{SHARD.incarnation}-{SHARD.shard_id}-100"
    other = normalised(read_event(event_bytes(0)), to_epoch_ms(ARRIVAL), DEFS)
    body = pack([other.to_line(), enriched_row().to_line()]).body
    key = enriched_key(commit_id)
    world.objects.put_new(key, body)
    world.objects.put_new(definitions_key(DEFS), DEFINITIONS)
    world.mark(Stage.ENRICHED, key=key, defs_version=DEFS, events=2)
    world.mark(Stage.AGGREGATED)
    world.mark(Stage.ARCHIVED)
    world.index_lines(SHARD, [fields_of(0), fields_of(1)])
    world.index_lines(OTHER_SHARD, [fields_of(1)], duplicates={0})
    world.rows.stored += counters(LIVE)
    world.objects.put_new(ARCHIVE_KEY, body)
    world.manifests.objects[HOUR] = [
        {
            "object_key": ARCHIVE_KEY, "commit_id": commit_id, "events": 2,
            "first_event_time": format_ms(ARRIVAL - timedelta(minutes=2)),
            "last_event_time": format_ms(ARRIVAL - timedelta(minutes=1)),
            "clients": {"web": 2}, "written_at": MARKED_AT,
        }
    ]  # fmt: skip
    world.manifests.files[HOUR] = [
        {
            "client_id": "web", "bucket": "clients", "file_key": "clients/web/f.json",
            "source_digest": "d", "events": 2, "status": "complete", "written_at": MARKED_AT,
        }
    ]  # fmt: skip
    return world


def counters(version):
    definitions = parse(DEFINITIONS, "m")
    return [
        AggregateRow(key, 2, 2, 7, (EVENT_ID,), DEFS, ARRIVAL)
        for key in rows_of(enriched_row(), definitions, version)
    ]


def test_the_whole_life_of_an_event(lived):
    """Arrival, copy, enriched row, each aggregate row, archive object and client's file."""
    told = lived.tell()
    assert (told.found_by, told.lag_ms) == ("gate", 120_000)
    assert told.first.place.key.startswith("raw/dt=2025-12-28/hour=09/")
    (copy,) = told.copies
    assert (copy.line.head.shard, copy.after_ms, copy.conflict) == (OTHER_SHARD, 60_000, False)
    assert told.enriched.standing is Standing.FOUND
    assert told.enriched.row["assignments"][0]["variant"] == "A"
    assert [(row.scope, row.standing) for row in told.counted_in] == [
        ("TYPE#view", Standing.FOUND),
        ("ENTITY#user_1", Standing.FOUND),
        ("EXPERIMENT#e1#A", Standing.FOUND),
    ]
    assert (told.archived.standing, told.archived.key) == (Standing.FOUND, ARCHIVE_KEY)
    assert told.exported.standing is Standing.FOUND
    assert told.exported.location == "s3://clients/clients/web/f.json"
    shown = orjson.loads(orjson.dumps(told.as_json()))
    assert shown["event"]["payload"] == {"number": 1}
    assert shown["stages"] == dict.fromkeys(("enriched", "aggregated", "archived"), MARKED_AT)


def test_what_the_stages_have_not_done_is_pending(committed):
    """Between its commit and its end an event has a biography too."""
    told = committed.tell()
    parts = (told.enriched, told.archived, told.exported)
    assert {part.standing for part in parts} == {Standing.PENDING}
    assert (told.counted_in, told.counted_note) == ((), "not enriched yet")


def test_an_expired_row_is_taken_from_the_archive(lived):
    """Its assignments come from there, so that the rows by experiment are known."""
    lived.objects.bodies.pop(enriched_key(f"{SHARD.incarnation}-{SHARD.shard_id}-100"))
    told = lived.tell()
    assert told.enriched.standing is Standing.EXPIRED
    assert len(told.counted_in) == 3
    lived.objects.bodies.pop(ARCHIVE_KEY)
    told = lived.tell()
    assert told.archived.standing is Standing.MISSING
    assert [row.scope for row in told.counted_in] == ["TYPE#view", "ENTITY#user_1"]
    assert "rows by experiment are left out" in told.counted_note


def test_a_counter_that_is_not_there_is_missing(lived):
    """A marked commit whose row is gone is not passed over in silence."""
    lived.rows.stored[1] = replace(lived.rows.stored[1], promoted_version="1766914300")
    assert lived.tell().counted_in[1].promoted_version == "1766914300"
    del lived.rows.stored[0]
    assert lived.tell().counted_in[0].standing is Standing.MISSING
    lived.objects.bodies.pop(definitions_key(DEFS))
    told = lived.tell()
    assert told.counted_in == ()
    assert "definitions" in told.counted_note


def test_a_file_that_lacks_the_event_says_so(lived):
    """An hour that changed since waits for its next export; an old one was never exported."""
    lived.manifests.objects[HOUR][0]["clients"] = {"web": 3}
    assert lived.tell().exported.standing is Standing.PENDING
    lived.manifests.objects[HOUR][0]["clients"] = None
    assert lived.tell().exported.standing is Standing.PENDING
    lived.manifests.files[HOUR][0]["written_at"] = format_ms(ARRIVAL + timedelta(hours=1))
    assert lived.tell().exported.standing is Standing.UNKNOWN
    lived.manifests.files.clear()
    assert "millrace export" in lived.tell().exported.note


def replayed(world, replay_id, outcome, **fields):
    """Store a replay of the hour, which did this with the event."""
    plan = replay_plan(
        f"plan-{replay_id}",
        created_at=ARRIVAL + timedelta(hours=1),
        selection=Selection(ARRIVAL - timedelta(hours=1), ARRIVAL, **fields.pop("selection", {})),
    )
    world.replays.save_plan(plan)
    record = replay_record(replay_id, plan_id=plan.plan_id, defs_version=DEFS, **fields)
    world.replays.start(record, audit_entry())
    first = world.tell().first
    place = f"{first.place.key}@{first.place.offset}:{first.place.line_in_member}"
    if outcome == "skipped":
        world.replays.skip(replay_id, SkippedEvent(place, EVENT_ID, "no_such_object", ""))
    elif outcome != "planned":
        made = ProcessedObject(
            "o1", "enriched/replay", frozenset({place_hash(place)}), counted=False
        )
        world.replays.list_object(replay_id, made)
        if outcome == "counted":
            world.replays.mark_counted(replay_id, "o1", 0)


def test_replays_and_what_they_counted(lived):
    """Each with how far it came; rows of a version where it counted, replay-only metrics too."""
    lived.rows.stored += counters(Version("1766914300"))
    replayed(lived, "a", "counted", version=Version("1766914300"))
    replayed(lived, "b", "skipped", version=Version("1766914301"))
    replayed(lived, "c", "planned", version=Version("1766914302"))
    replayed(lived, "d", "enriched", version=Version("1766914303"))
    replayed(lived, "e", "counted", version=Version("1766914304"), dry_run=True)
    replayed(lived, "f", "counted", selection={"source": "app"}, version=Version("1766914305"))
    told = lived.tell()
    outcomes = {each.replay_id: each.outcome for each in told.replays}
    assert outcomes == {
        "a": "counted", "b": "skipped: no_such_object", "c": "planned", "d": "enriched",
        "e": "counted",
    }  # fmt: skip
    versions = [(row.version, row.scope) for row in told.counted_in if row.replay_id == "a"]
    assert versions == [
        ("1766914300", "TYPE#view"), ("1766914300", "ENTITY#user_1"),
        ("1766914300", "EXPERIMENT#e1#A"), ("1766914300", "TYPE#view"),
    ]  # fmt: skip
    pending = {row.replay_id for row in told.counted_in if row.standing is Standing.PENDING}
    assert pending == {"b", "c", "d"}
    assert "e" not in {row.replay_id for row in told.counted_in}


def test_a_replay_that_ended_without_the_event_did_not_touch_it(lived):
    """It came after the plan was made, or the replay was cancelled before it."""
    replayed(lived, "a", "planned", state=ReplayState.CANCELLED)
    assert lived.tell().replays == ()


def test_a_spent_budget_names_what_was_not_looked_at(lived):
    """Replays are looked at newest first, and the rest is said to be left."""
    replayed(lived, "a", "counted")
    cost = ReadCost()
    budget = Budget(cost, FixedClock(ARRIVAL), max_pages=1)
    cost.queries += 1
    told = lived.biographer.write(WANTED, budget)
    assert told.replays == ()
    assert "were not looked at" in told.replays_note


def test_a_budget_that_ends_within_a_replay_claims_nothing(lived):
    """What was not read of its progress is unknown."""
    replayed(lived, "a", "counted")
    lived.replays.list_object("a", ProcessedObject("o0", "k", frozenset(), counted=True))
    cost = ReadCost()
    objects = lived.replays.objects

    def reading(replay_id):
        for made in sorted(objects(replay_id), key=lambda each: each.object_id):
            cost.queries += 1
            yield made

    lived.replays.objects = reading
    budget = Budget(cost, FixedClock(ARRIVAL), max_pages=1)
    (touched,) = lived.biographer.write(WANTED, budget).replays
    assert touched.outcome == "unknown: the pages ran out"


def test_copies_with_another_content_are_found_by_reading_everything(lived):
    """A conflict may name another entity or day, where the index does not lead."""
    owner = Owner(str(SHARD), 101, 0)
    conflict = CommittedLine(300, 0, to_epoch_ms(ARRIVAL), owner, conflict=True)
    shard = ShardKey(SHARD.incarnation, "shardId-000000000002")
    lived.commit([event_bytes(1, entity_id="x")], shard=shard, duplicates={0: conflict})
    told = lived.tell()
    assert len(told.copies) == 1
    assert "not looked for here" in told.copies_note
    told = lived.tell(all_copies=True)
    assert [copy.conflict for copy in told.copies] == [True, False]
    assert "searched everything" in told.copies_note


def test_a_forgotten_id_is_found_by_entity_and_day(lived):
    """Of several entries the one that is no copy is the event; the error says what to give."""
    lived.gate.owners.clear()
    with pytest.raises(NotFound, match="entity and day as well"):
        lived.tell()
    told = lived.tell(replace(WANTED, entity_id="user_1", day=ARRIVAL.date()))
    assert told.found_by == "index"
    assert told.first.head.shard == SHARD
    assert len(told.copies) == 1
    with pytest.raises(NotFound, match="nor has the index one"):
        lived.tell(replace(WANTED, entity_id="user_2", day=ARRIVAL.date()))


def test_an_event_on_its_way_is_not_found_yet(lived):
    """It passed the gate and no commit holds it."""
    lived.gate.owners["web", "new"] = Owner(str(SHARD), 999, 0)
    with pytest.raises(NotFound, match="no commit holds"):
        lived.tell(Wanted("new", "web"))


def test_the_index_knows_an_event_as_its_biography_does(lived):
    """The entry that selections judge is the one that enrich wrote."""
    told = lived.tell()
    entry = index_entry_of(told.event, told.first)
    finder = lived.biographer.finder
    assert entry in list(finder.entries(entry.entity_id, entry.day))


@pytest.fixture
def quarantined(committed) -> World:
    """Record 101 also held something that is no event."""
    key = "quarantine/q"
    line = {
        "reason": "not_json", "message": "m", "shard": str(SHARD), "sequence": "101",
        "position": 1, "arrival_time": format_ms(ARRIVAL),
        "bytes_base64": b64encode(b"{\xff").decode(),
    }  # fmt: skip
    other = line | {"sequence": "100"}
    committed.objects.put_new(key, pack([orjson.dumps(line), orjson.dumps(other)]).body)
    commit = committed.ledger.commits[SHARD, 100]
    head = replace(commit.head, quarantine_key=key)
    committed.ledger.commits[SHARD, 100] = replace(commit, head=head)
    return committed


def test_a_record_by_shard_and_sequence(quarantined):
    """Its events and its rejected parts, with reason and bytes, and what was done about them."""
    marks = FakeMarks()
    records = Records(quarantined.ledger, quarantined.objects, marks)
    told = records.at(SHARD, 101)
    assert [line.event.event_id for line in told.events] == [EVENT_ID]
    (part,) = told.quarantined
    assert (part.record.reason, part.record.data, part.mark) == ("not_json", b"{\xff", None)
    shown = told.as_json()["quarantined"][0]
    assert (shown["bytes_hex"], shown["text"], shown["state"]) == ("7bff", None, "open")
    dropped = Mark(State.DROPPED, frozenset({part.record.line}), ARRIVAL, "ana")
    assert marks.write(CommitMarks(CommitKey(SHARD, 100)).with_mark(dropped))
    shown = records.at(SHARD, 101).as_json()["quarantined"][0]
    assert (shown["state"], shown["by"]) == ("dropped", "ana")


def test_a_record_that_no_commit_holds(quarantined):
    """Says why that may be; a record whose object is gone says that."""
    records = Records(quarantined.ledger, quarantined.objects, FakeMarks())
    with pytest.raises(NotFound, match="no commit holds record 7"):
        records.at(SHARD, 7)
    del quarantined.objects.bodies["quarantine/q"]
    assert "is gone" in records.at(SHARD, 101).note
