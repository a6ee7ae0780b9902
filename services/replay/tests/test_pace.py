"""How fast the worker sends, and what makes it send less."""

import pytest

from replay.domain import BATCH, ROUND, SLOWEST, Bounds, Pace, Signs, room

BOUNDS = Bounds(live_lag_s=60, backlog=1000)


@pytest.mark.parametrize(
    ("signs", "said"),
    [
        (Signs((61, 300)), "live lags: 2 commits wait longer than 60 s, one for 300 s"),
        (Signs((300.0,) * 11), "live lags: 11 commits wait longer than 60 s, one for 300 s"),
        (Signs(throttled=True), "DynamoDB throttles the processor"),
        (Signs(backlog=1001), "1001 messages wait, more than 1000"),
        (Signs(backlog=1000), ""),
        (Signs((121, 900)), ""),
        (Signs((300.0,) * 10), ""),
        (Signs(), ""),
    ],
)
def test_each_sign_beyond_its_bound_is_a_reason(signs, said):
    """The reason names what was seen and the bound; at the bound there is none."""
    assert BOUNDS.reason(signs) == said


def test_a_commit_that_is_stuck_slows_a_replay_for_a_minute():
    """Then only commits that come to wait behind it do."""
    slowed = [age for age in range(60, 1_000) if BOUNDS.reason(Signs((age,)))]
    assert slowed == list(range(60, 121))
    assert BOUNDS.reason(Signs((500, 61)))


def test_the_rate_halves_and_comes_back_by_quarters():
    """Never below one message a second, never above the wanted rate."""
    pace = Pace.of(100, 100)
    rates = []
    for _ in range(8):
        pace = pace.after("live lag")
        rates.append(pace.now)
    assert rates == [50, 25, 12.5, 6.25, 3.125, 1.5625, SLOWEST, SLOWEST]
    assert pace.because == "live lag"
    pace = pace.after("")
    assert (pace.now, pace.because) == (1.25, "")
    for _ in range(30):
        pace = pace.after("")
    assert pace.now == 100


@pytest.mark.parametrize(
    ("wanted", "now", "begins"), [(100, 100, 100), (100, 12, 12), (100, 0, SLOWEST), (5, 100, 5)]
)
def test_a_turn_goes_on_at_the_last_rate(wanted, now, begins):
    """Within the bounds of the order."""
    assert Pace.of(wanted, now).now == begins


@pytest.mark.parametrize(
    ("rate", "messages"),
    [(1, 1), (3, 1), (8, 2), (100, 25), (2_000, 500), (4_000, ROUND), (10_000, ROUND)],
)
def test_a_round_is_short(rate, messages):
    """A quarter of a second's messages, so that a pause takes effect; at most a checkpoint's."""
    assert Pace.of(rate, rate).round_size == messages
    assert ROUND % BATCH == 0


def test_the_wait_makes_up_the_rate():
    """What sending took is part of it; sending too slowly is not waited for."""
    pace = Pace.of(100, 100)
    assert pace.wait_s(25, 0.05) == pytest.approx(0.2)
    assert pace.wait_s(25, 0.5) == 0


@pytest.mark.parametrize(("backlog", "left"), [(0, 1000), (400, 600), (1000, 0), (1200, 0)])
def test_no_more_is_sent_than_may_wait(backlog, left):
    """Whatever the rate: what live waits behind is bounded, and so is what a cancel leaves."""
    assert room(BOUNDS, Signs(backlog=backlog)) == left
