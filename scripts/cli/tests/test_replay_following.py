from dataclasses import replace

import pytest

from millrace.replay.operations import ReplayStatus
from millrace.replay.progress import Progress
from millrace.replay.record import Cursor, Replay, ReplayState
from millrace_cli.replay_following import LAST_POLL_S, Reading, follow
from millrace_testing.replays import REPLAY_ID, replay_record


def status(state: ReplayState, sent: int = 0, counted: int = 0, **fields: object) -> ReplayStatus:
    replay: Replay = replace(replay_record(state=state), cursor=Cursor(0, sent, sent), **fields)
    return ReplayStatus(replay, Progress(enriched=counted, counted=counted, skipped=0), (), ())


class Passing:
    """Time that passes where somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


def followed(readings: list[ReplayStatus]) -> tuple[ReplayStatus, list[Reading], list[float]]:
    left, shown, time = iter(readings), [], Passing()
    last = follow(lambda: next(left), shown.append, clock=time.clock, wait=time.wait)
    return last, shown, time.waits


@pytest.mark.parametrize("end", [ReplayState.COMPLETED, ReplayState.CANCELLED])
def test_a_replay_is_followed_to_its_end(end: ReplayState) -> None:
    """Each reading is shown, the last one is returned, however the replay ended."""
    readings = [status(ReplayState.RUNNING, 5), status(ReplayState.SENT, 10, 4), status(end, 10)]
    last, shown, _ = followed(readings)
    assert last is readings[-1]
    assert [each.status for each in shown] == readings
    assert [each.done for each in shown] == [0, 4, 0]


def test_a_long_replay_is_asked_after_less_often() -> None:
    """Each look reads all of a replay: the waits grow, up to a bound."""
    running = [status(ReplayState.RUNNING, sent) for sent in range(30)]
    _, _, waits = followed([*running, status(ReplayState.COMPLETED)])
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (0.5, LAST_POLL_S)


def test_of_a_dry_run_the_enriched_events_are_through() -> None:
    """Nothing is counted in one."""
    last, shown, _ = followed([status(ReplayState.COMPLETED, 10, 7, dry_run=True)])
    assert last.replay.dry_run
    assert shown[0].done == 7


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (Reading(status(ReplayState.RUNNING), 59), ""),
        (Reading(status(ReplayState.RUNNING, slowed_because="live lag"), 0), "slowed: live lag"),
        (
            Reading(status(ReplayState.RUNNING), 75),
            f"for 75 s; `millrace replay resume {REPLAY_ID}",
        ),
        (Reading(status(ReplayState.SENT), 75), "`millrace status` says"),
        (Reading(status(ReplayState.PAUSED), 0), f"paused; `millrace replay resume {REPLAY_ID}"),
    ],
)
def test_what_holds_a_replay_up_is_said(reading: Reading, said: str) -> None:
    """With the command that helps; a replay that moves needs no word."""
    assert said in reading.remark
    assert bool(reading.remark) == bool(said)


def test_what_moves_is_not_still() -> None:
    """The time without movement begins anew with each."""
    sent = [status(ReplayState.RUNNING, 1 if number < 20 else 2) for number in range(40)]
    _, shown, _ = followed([*sent, status(ReplayState.COMPLETED, 2)])
    assert shown[19].still_s > 60 > shown[21].still_s
    assert shown[20].still_s == 0
