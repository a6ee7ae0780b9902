"""The use case on fakes."""

from dataclasses import replace

import orjson
import pytest

from millrace.aggregates import Dimension
from millrace.commit import Stage
from millrace.definitions import version_of
from millrace.errors import CommitMissing, ConfigError, ObjectMissing
from millrace.keys import definitions_key, enriched_key
from millrace.raw_lines import pack
from millrace_testing.builders import SHARD

pytestmark = pytest.mark.aggregation


def test_a_commit_is_added_and_marked(world, new_events, defs_version):
    """Counters hold exactly what the commit adds, the ledger says at, parts and events."""
    events = new_events(range(30))
    done = world.run(world.commit(100, events))
    row = world.row("events", Dimension.TYPE, "view")
    assert (row.value, row.event_count) == (30, 30)
    assert row.input_hash == sum(event.hash64 for event in events)
    assert row.defs_version == defs_version
    assert world.row("numbers", Dimension.TYPE, "view").value == sum(range(30))
    assert world.row("users", Dimension.TYPE, "view").value == 7
    mark = world.ledger.head(SHARD, 100).marks[Stage.AGGREGATED]
    assert mark == {"at": "2025-12-28T09:30:00.000Z", "parts": 1, "events": 30}
    assert (done.events, done.parts, done.counters) == (30, 1, len(world.counters.rows))


def test_many_counters_become_many_parts(world, new_events):
    """More counters than one transaction takes are spread, and all arrive."""
    events = [
        replace(event, entity_id=f"entity {n}") for n, event in enumerate(new_events(range(300)))
    ]
    done = world.run(world.commit(100, events))
    assert done.parts > 3
    assert len(world.counters.rows) == done.counters
    assert sum(key.metric == "events" for key in world.counters.rows) > 600


def test_a_marked_commit_is_left_alone(world, new_events):
    """Another delivery of a finished reference reads the ledger and nothing else."""
    reference = world.commit(100, new_events(range(3)))
    world.run(reference)
    before = world.end()
    world.objects.bodies.clear()
    assert world.run(reference).already_marked
    assert world.end() == before


def test_a_user_is_counted_once_over_commits(world, new_events):
    """Two commits that name the same users: the second adds none of them."""
    world.run(world.commit(100, new_events([0, 1, 2])))
    world.run(world.commit(200, new_events([7, 8, 9, 10])))
    row = world.row("users", Dimension.TYPE, "view")
    assert (row.value, row.event_count) == (4, 7)


def test_an_empty_object_is_marked(world):
    """A commit that holds only duplicates adds nothing and is done."""
    done = world.run(world.commit(100, []))
    assert (done.events, done.parts) == (0, 0)
    assert world.ledger.head(SHARD, 100).marks[Stage.AGGREGATED]["events"] == 0


def test_the_object_says_which_definitions_hold(world, new_events, defs_version):
    """A message that names others changes nothing: the object was written once, it counts."""
    reference = world.commit(100, new_events([1]))
    world.run(replace(reference, defs_version="f" * 16))
    assert world.row("events", Dimension.TYPE, "view").defs_version == defs_version


def test_two_definitions_make_a_mixed_row(world, new_events, definitions_toml):
    """A row to which two versions contributed says so."""
    other = definitions_toml + b"# changed\n"
    version = version_of(other)
    world.objects.put_new(definitions_key(version), other)
    world.run(world.commit(100, new_events([1])))
    stamped = [replace(event, defs_version=version) for event in new_events([2])]
    world.run(world.commit(200, stamped))
    assert world.row("events", Dimension.TYPE, "view").defs_version == "mixed"


def test_an_object_that_names_two_definitions_is_refused(world, new_events):
    """That cannot be: nothing is added, the object is named."""
    one, other = new_events([1, 2])
    reference = world.commit(100, [one, replace(other, defs_version="f" * 16)])
    with pytest.raises(Exception, match=reference.enriched_key):
        world.run(reference)
    assert not world.counters.rows


def test_missing_definitions_are_named(world, new_events):
    """Without its definitions a commit cannot be counted; the error says which file to put back."""
    stamped = [replace(event, defs_version="f" * 16) for event in new_events([1])]
    with pytest.raises(ConfigError, match=f"definitions/{'f' * 16}.toml"):
        world.run(world.commit(100, stamped))


def test_definitions_under_a_wrong_name_are_refused(world, new_events, definitions_toml):
    """Versions are hashes: a file that was changed under its name counts nothing."""
    world.objects.bodies[definitions_key("f" * 16)] = definitions_toml
    stamped = [replace(event, defs_version="f" * 16) for event in new_events([1])]
    with pytest.raises(ConfigError, match="f" * 16):
        world.run(world.commit(100, stamped))


def test_definitions_are_read_once(world, new_events, new_tap):
    """Immutable definitions are kept: a second commit reads its object alone."""
    references = [world.commit(seq, new_events([seq])) for seq in (100, 200)]
    service = world.service()
    service.aggregate(references[:1])
    del world.objects.bodies[definitions_key(references[0].defs_version)]
    (second,) = service.aggregate(references[1:])
    assert second.events == 1


def test_a_missing_object_is_named(world, new_events):
    """Nothing is marked for an object that is not there."""
    reference = world.commit(100, new_events([1]))
    del world.objects.bodies[reference.enriched_key]
    with pytest.raises(ObjectMissing, match=reference.enriched_key):
        world.run(reference)
    assert Stage.AGGREGATED not in world.ledger.head(SHARD, 100).marks


def test_a_reference_to_no_commit_is_refused(world, new_events):
    """A reference that the ledger does not know adds nothing."""
    reference = replace(world.commit(100, new_events([1])), first_seq=404)
    with pytest.raises(CommitMissing):
        world.run(reference)
    assert not world.counters.rows


def test_a_marker_that_expires_meanwhile_is_retried(world, new_events, new_tap):
    """Taken at the insert, gone at the read: nobody can say who counted, so the message waits."""
    reference = world.commit(100, new_events([1]))
    taken = world.commit(200, new_events([1]))
    markers = world.markers

    class Expiring:
        def owners(self, _):
            return {}

        def insert_new(self, owners):
            return markers.insert_new(owners)

    world.run(taken)
    world.markers = Expiring()
    with pytest.raises(Exception, match="expired"):
        world.run(reference)
    assert world.row("events", Dimension.TYPE, "view").value == 1


def test_the_key_of_the_object_is_the_reference_s(world, new_events):
    """What is counted is the object that the message names."""
    reference = world.commit(100, new_events([1]))
    other = enriched_key("other")
    world.objects.put_new(other, pack([each.to_line() for each in new_events([1, 2, 3])]).body)
    assert world.run(replace(reference, enriched_key=other)).events == 3


def test_malformed_rows_are_skipped_and_counted(world, new_events):
    """Lines that are no events cost nobody but themselves; the mark says how many there were."""
    reference = world.commit(100, new_events([1, 2]))
    lines = [each.to_line() for each in new_events([1, 2])]
    wrong = orjson.loads(lines[0])
    broken = [
        b"{",
        b"[]",
        orjson.dumps(wrong | {"event_id": 7}),
        orjson.dumps(wrong | {"payload": "text"}),
        orjson.dumps(wrong | {"event_time": "yesterday"}),
        orjson.dumps({name: wrong[name] for name in wrong if name != "entity_id"}),
    ]
    body = pack([lines[0], *broken, lines[1]]).body
    world.objects.bodies[reference.enriched_key] = body
    done = world.run(reference)
    assert (done.events, done.malformed_events) == (2, 6)
    assert done.malformed_lines == (2, 3, 4, 5, 6, 7)
    assert world.row("events", Dimension.TYPE, "view").value == 2
    mark = world.ledger.head(SHARD, 100).marks[Stage.AGGREGATED]
    assert (mark["events"], mark["malformed"]) == (2, 6)
