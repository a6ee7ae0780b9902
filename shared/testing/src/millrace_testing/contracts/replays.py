"""What every replay ledger promises: `millrace.replay.ports.ReplayLedger` and `ProcessorLedger`."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

import pytest

from millrace.aggregates import Version
from millrace.errors import RetryableError
from millrace.replay.errors import UnknownReplay
from millrace.replay.ports import ProcessorLedger, ReplayLedger
from millrace.replay.progress import (
    ProcessedObject,
    Progress,
    SkippedEvent,
    place_hash,
    progress_of,
)
from millrace.replay.record import Action, Cursor, ReplayState
from millrace_testing.builders import ARRIVAL
from millrace_testing.replays import REPLAY_ID, audit_entry, replay_plan, replay_record


class Replays(ReplayLedger, ProcessorLedger, Protocol):
    """Both faces of the table, and what the sender reads of the processor."""

    def pressure_ms(self, replay_id: str) -> int | None:
        """Return when the processor was throttled last; None if it never was."""
        ...


def processed(object_id: str, places: Sequence[str]) -> ProcessedObject:
    """Return an object of events at these places."""
    hashes = frozenset(map(place_hash, places))
    return ProcessedObject(object_id, f"enriched/{object_id}", hashes, counted=False)


class ReplaysContract:
    """Subclasses provide the fixture `replays`: an empty ledger."""

    def test_a_plan_comes_back_as_it_was(self, replays: Replays) -> None:
        """Every field of it; an unknown one is named."""
        replays.save_plan(replay_plan())
        assert replays.plan(replay_plan().plan_id) == replay_plan()
        with pytest.raises(UnknownReplay, match="plan-2"):
            replays.plan("plan-2")

    def test_a_version_has_one_replay(self, replays: Replays) -> None:
        """The first one that asks keeps it, however often it asks."""
        version = Version("1766914200")
        assert replays.reserve_version(version, "a")
        assert not replays.reserve_version(version, "b")
        assert replays.reserve_version(version, "a")
        assert replays.reserve_version(Version("1766914201"), "b")

    def test_a_replay_starts_once(self, replays: Replays) -> None:
        """A second start changes nothing; an unknown replay is named."""
        with pytest.raises(UnknownReplay, match=REPLAY_ID):
            replays.replay(REPLAY_ID)
        first = replay_record(cursor=Cursor(2, 3, 4), slowed_because="live lag")
        assert replays.start(first, audit_entry())
        assert not replays.start(replay_record(rate=7), audit_entry(Action.CANCEL))
        assert replays.replay(REPLAY_ID) == first
        assert list(replays.audit(REPLAY_ID)) == [audit_entry()]

    def test_one_replay_stands_for_an_application(self, replays: Replays) -> None:
        """A second one is refused, unless it takes the place of the one it names, or stands by."""
        first = replay_record("r1")

        def standing() -> str | None:
            return replays.applied_by(first.plan_id, dry_run=False, queue_url=first.queue_url)

        assert standing() is None
        assert replays.start(first, audit_entry(), beside=False)
        assert standing() == "r1"
        second = replay_record("r2")
        for over in (None, "r0"):
            assert not replays.start(second, audit_entry(), beside=False, over=over)
        with pytest.raises(UnknownReplay):
            replays.replay("r2")
        assert replays.start(second, audit_entry(), beside=False, over="r1")
        assert standing() == "r2"
        assert replays.start(replay_record("r3"), audit_entry())
        assert standing() == "r2"
        dry = replay_record("r4", dry_run=True)
        assert replays.start(dry, audit_entry(), beside=False)

    def test_nobody_writes_over_what_they_did_not_see(self, replays: Replays) -> None:
        """A move from a step that is gone is refused, and leaves no audit."""
        before = replay_record()
        replays.start(before, audit_entry())
        paused = replace(before, state=ReplayState.PAUSED, step=1)
        pause = audit_entry(Action.PAUSE, ARRIVAL + timedelta(seconds=1))
        assert replays.advance(before, paused, pause)
        cancel = audit_entry(Action.CANCEL, ARRIVAL + timedelta(seconds=2))
        assert not replays.advance(before, replace(before, step=1), cancel)
        assert replays.advance(paused, replace(paused, step=2, cursor=Cursor(1, 1, 1)))
        assert replays.replay(REPLAY_ID).cursor == Cursor(1, 1, 1)
        assert list(replays.audit(REPLAY_ID)) == [audit_entry(), pause]

    def test_replays_are_listed(self, replays: Replays) -> None:
        """All of them, or what follows one, newest first; those of one plan oldest first."""
        for number, plan in enumerate(("p", "q", "p")):
            at = ARRIVAL + timedelta(hours=number)
            replays.start(replay_record(f"r{number}", plan_id=plan, started_at=at), audit_entry())
        assert [each.replay_id for each in replays.replays()] == ["r2", "r1", "r0"]
        middle = replays.replay("r1").place
        assert [each.replay_id for each in replays.replays(middle)] == ["r0"]
        assert list(replays.replays(replays.replay("r0").place)) == []
        assert list(replays.replays_of_plan("p")) == ["r0", "r2"]
        assert list(replays.replays_of_plan("none")) == []

    def test_progress_counts_places_once(self, replays: Replays) -> None:
        """However events are grouped and however often an object is listed or counted."""
        replays.list_object(REPLAY_ID, processed("a", "xy"))
        replays.list_object(REPLAY_ID, processed("b", "yz"))
        replays.mark_counted(REPLAY_ID, "a", 1)
        for _ in range(2):
            replays.mark_counted(REPLAY_ID, "b", 2)
            replays.list_object(REPLAY_ID, processed("b", "yz"))
        replays.list_object(REPLAY_ID, processed("c", "vx"))
        for place in ("q", "q", "x"):
            replays.skip(REPLAY_ID, SkippedEvent(place, "e", "object_missing", "gone"))
        replays.list_object("another", processed("a", "mn"))
        objects, skipped = list(replays.objects(REPLAY_ID)), list(replays.skipped(REPLAY_ID))
        assert progress_of(objects, skipped) == Progress(enriched=4, counted=3, skipped=1)
        assert {each.object_id: each.counted for each in objects} == {
            "a": True, "b": True, "c": False,
        }  # fmt: skip

    def test_the_first_reason_to_skip_stays(self, replays: Replays) -> None:
        """Another attempt that finds another reason does not hide it."""
        first = SkippedEvent("raw/x@0:1", "e", "object_missing", "gone")
        replays.skip(REPLAY_ID, first)
        replays.skip(REPLAY_ID, replace(first, reason="corrupt_member"))
        assert list(replays.skipped(REPLAY_ID)) == [first]

    def test_only_listed_objects_are_counted(self, replays: Replays) -> None:
        """Counting an object that is not listed fails, and lists nothing."""
        with pytest.raises(RetryableError):
            replays.mark_counted(REPLAY_ID, "a", 1)
        assert list(replays.objects(REPLAY_ID)) == []

    def test_the_last_pressure_is_told(self, replays: Replays) -> None:
        """Of each replay by itself; none is none."""
        for at_ms in (5, 7):
            replays.note_pressure(REPLAY_ID, at_ms)
        assert replays.pressure_ms(REPLAY_ID) == 7
        assert replays.pressure_ms("another") is None
