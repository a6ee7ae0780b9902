"""Several references in one batch: what they share, and what one of them can do to the others."""

from dataclasses import replace

import pytest

from millrace.aggregates import Dimension
from millrace.commit import Stage
from millrace.errors import ConfigError, RetryableError
from millrace.raw_lines import pack
from millrace_testing.builders import SHARD

pytestmark = pytest.mark.batch


def test_a_batch_shares_transactions(world, new_events):
    """References that touch the same rows are written together; each ends as if it came alone."""
    batches = {seq: new_events(range(seq, seq + 20)) for seq in range(100, 600, 100)}
    alone = type(world)()
    for seq, events in batches.items():
        alone.run(alone.commit(seq, events))
    references = [world.commit(seq, events) for seq, events in batches.items()]
    outcomes = world.service().aggregate(references)
    assert [outcome.events for outcome in outcomes] == [20] * 5
    assert world.end() == alone.end()
    assert (world.counters.transactions, alone.counters.transactions) == ([5], [1] * 5)


def test_what_does_not_fit_one_transaction_is_not_combined(world, new_events):
    """Parts of more rows than one transaction takes keep transactions of their own."""
    events = [replace(each, entity_id=f"e{each.event_id}") for each in new_events(range(150))]
    references = [world.commit(100, events[:75]), world.commit(200, events[75:])]
    world.service().aggregate(references)
    assert len(world.counters.transactions) > 3
    assert sum(key.metric == "events" for key in world.counters.rows) > 300


def test_one_bad_reference_stops_no_other(world, new_events):
    """Missing object, missing commit, mixed definitions: each fails alone, the rest is counted."""
    good, gone, unknown, mixed = (world.commit(seq, new_events([seq])) for seq in range(4))
    del world.objects.bodies[gone.enriched_key]
    unknown = replace(unknown, first_seq=404)
    torn = [*new_events([3]), replace(new_events([4])[0], defs_version="f" * 16)]
    world.objects.bodies[mixed.enriched_key] = pack([each.to_line() for each in torn]).body
    outcomes = world.service().aggregate([gone, unknown, good, mixed])
    kinds = [type(outcome).__name__ for outcome in outcomes]
    assert kinds == ["ObjectMissing", "CommitMissing", "Aggregated", "MixedDefinitions"]
    assert world.row("events", Dimension.TYPE, "view").value == 1


@pytest.mark.parametrize("error", [RetryableError("contended"), ConfigError("refused")])
def test_a_bundle_that_cannot_be_written_is_written_part_by_part(world, new_events, error):
    """A row that refuses one reference fails that one; those beside it are written alone."""
    references = [world.commit(seq, new_events([seq])) for seq in (100, 200, 300)]

    def refuse_the_second(parts):
        return error if any("-200" in part.unit.id for part in parts) else None

    world.counters.refusing = refuse_the_second
    outcomes = world.service().aggregate(references)
    assert outcomes[1] is error
    assert [outcome.events for outcome in (outcomes[0], outcomes[2])] == [1, 1]
    marked = [Stage.AGGREGATED in world.ledger.head(SHARD, seq).marks for seq in (100, 200, 300)]
    assert marked == [True, False, True]
    world.counters.refusing = lambda _: None
    world.run(references[1])
    assert world.row("events", Dimension.TYPE, "view").value == 3


def test_an_unmarked_reference_whose_parts_are_written_joins_a_batch(world, new_events, new_tap):
    """What an earlier attempt wrote is left out of the transaction, the rest of it goes on."""
    references = [world.commit(seq, new_events([seq])) for seq in (100, 200)]
    world.run(references[0])
    head = world.ledger.commits[SHARD, 100]
    world.ledger.commits[SHARD, 100] = replace(head, head=replace(head.head, marks={}))
    first, second = world.service().aggregate(references)
    assert (first.parts_done_before, second.parts_done_before) == (1, 0)
    assert world.row("events", Dimension.TYPE, "view").value == 2


def test_the_same_reference_twice_in_a_batch_is_done_once(world, new_events):
    """SQS delivers at least once, and may do so within one batch."""
    reference = world.commit(100, new_events([1, 2]))
    first, second = world.service().aggregate([reference, reference])
    assert (first.events, first.already_marked) == (2, False)
    assert (second.events, second.already_marked) == (0, True)
    assert world.row("events", Dimension.TYPE, "view").value == 2
