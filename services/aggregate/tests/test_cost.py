"""What aggregating costs, counted from the wire."""

from dataclasses import replace

import pytest
from aggregate_stories import BASE, Clients, World, counts_by_type, service_on

from millrace_testing.builders import ARRIVAL
from millrace_testing.metrics import metric
from millrace_testing.wire_cost import WireCost

pytestmark = [pytest.mark.engine, pytest.mark.aggregation]

TWENTY_COUNTERS = (
    counts_by_type("m", 9)
    + metric("numbers", "sum", windows=("day",), value="payload.number")
    + metric("users", "unique", windows=("day",), of="entity")
)
USERS = 50


@pytest.fixture(scope="module")
def clients(engine) -> Clients:
    clients = Clients.of(engine.endpoint, prefix="cost")
    clients.create_resources()
    return clients


@pytest.fixture
def measured(engine) -> tuple[Clients, WireCost]:
    """Clients whose requests are counted."""
    clients, cost = Clients.of(engine.endpoint, prefix="cost"), WireCost()
    cost.attach(clients.dynamodb, clients.s3)
    return clients, cost


def test_a_thousand_events_of_twenty_counters(clients, measured, figures):
    """At most 60 write units for the reference, and one for each user that is new."""
    world = World(clients)
    events = [
        replace(event, event_time=ARRIVAL, entity_id=f"user-{number % USERS}")
        for number, event in enumerate(world.events(range(1000)))
    ]
    reference = world.commit(events, TWENTY_COUNTERS)
    (done,) = service_on(measured[0]).aggregate([reference])
    assert (done.events, done.counters) == (1000, 20)
    units = sum(measured[1].write_units.values())
    figures(f"1,000 events, 20 counters: {units:g} write units, {USERS} of them new users")
    assert units <= 60 + USERS


def test_references_of_a_batch_share_the_cost_of_their_rows(clients, measured, figures):
    """Ten references of the same rows cost far less together than one after the other."""
    world = World(clients)
    references = [world.commit(world.events(range(5)), BASE) for _ in range(10)]
    outcomes = service_on(measured[0]).aggregate(references)
    assert [outcome.events for outcome in outcomes] == [5] * 10
    assert measured[1].requests["TransactWriteItems"] == 1
    figures(f"10 references together: {sum(measured[1].write_units.values()):g} write units")


def test_a_dry_run_writes_nothing_on_the_wire(clients, measured):
    """Objects are read; DynamoDB is not even asked. The same reference counts when it is wet."""
    world = World(clients)
    reference = world.replayed(world.events(range(20)), BASE)
    (dry,) = service_on(measured[0], dry_run=True).aggregate([reference])
    assert set(measured[1].requests) == {"GetObject"}
    assert not measured[1].write_units
    assert not world.rows(world.version)
    (wet,) = service_on(measured[0]).aggregate([reference])
    assert wet == replace(dry, dry_run=False)
    assert measured[1].write_units["TransactWriteItems"] > 20
    assert world.rows(world.version)
