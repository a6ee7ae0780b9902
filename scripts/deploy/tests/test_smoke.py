"""The smoke test: it ends when its own events have, and says where they are if they have not."""

import orjson
import pytest

from millrace_deploy.errors import DeployError
from millrace_deploy.smoke import EVENTS, Place, Smoke, follow


def test_the_ten_events_are_events_of_their_own():
    """Ingest takes each of them, and two smoke tests share no event."""
    first, second = Smoke.now(), Smoke.now()
    assert len(first.records()) == EVENTS == 10
    assert not set(first.event_ids) & set(second.event_ids)
    for record, event_id in zip(first.records(), first.event_ids, strict=True):
        assert orjson.loads(record.data)["event_id"] == event_id


def test_it_waits_until_every_event_is_done():
    """An event that was seen done is not asked for again."""
    steps = {"a": iter([Place.SENT, Place.COMMITTED, Place.FINISHED]), "b": iter([Place.FINISHED])}
    follow(["a", "b"], lambda event_id: next(steps[event_id]), 10, 0)
    assert not any(list(rest) for rest in steps.values())


def test_events_that_do_not_arrive_fail_it():
    """The message counts them by how far they came."""
    places = {"a": Place.SENT, "b": Place.PASSED, "c": Place.COMMITTED, "d": Place.FINISHED}
    with pytest.raises(
        DeployError, match=r"after 0 s: 1 sent.*1 through the gate.*1 stored.*1 done"
    ):
        follow(list(places), places.__getitem__, 0, 0)
