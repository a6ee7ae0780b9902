"""A replay at full speed beside live traffic: what it takes from live."""

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
from typer.testing import CliRunner

from millrace.replay.operations import MAX_RATE, Order
from millrace.replay.record import ReplayState
from millrace.replay.selection import Selection
from millrace.times import format_ms
from millrace_bench.figure import Figure
from millrace_bench.live_traffic import LiveTraffic
from millrace_cli.environment import Environment, load_environment
from millrace_cli.main import app
from millrace_cli.replay import Replays

WHAT = "live lag (arrival to aggregated) alone, and beside a replay of 20,000 events at full speed"

_ENGINE = "bench-live-lag"
_EVENTS = 20_000
_DAY = datetime(2025, 12, 28, tzinfo=UTC)
_LIVE_A_SECOND = 40
_ALONE_S = 30.0
_DEADLINE_S = 900.0


class NotReplayed(Exception):
    """The replay did not come to its end."""


@dataclass(frozen=True, slots=True)
class _Replayed:
    """What a replay took."""

    seconds: float
    slowed: int
    """Looks at which it was giving way, of `looks`."""
    looks: int


def run() -> list[Figure]:
    """Deploy to an engine of its own, store a day, measure live alone, beside its replay, alone."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "day.ndjson"
            file.write_bytes(b"".join(_history()))
            _millrace("run", "--events", str(file), "--port", "0", "--stall", "300")
        return measured(load_environment(_ENGINE, None, None))
    finally:
        _millrace("stop")


def measured(environment: Environment) -> list[Figure]:
    """Return lags with and without a replay of what the environment holds of the day.

    Live alone is measured before and after, so that a machine that grows slower is not taken for
    the replay's doing.
    """
    traffic = LiveTraffic(environment, _LIVE_A_SECOND)
    with traffic.flowing() as before:
        time.sleep(_ALONE_S)
    with traffic.flowing() as beside:
        replayed = _replay(environment)
    with_replay = traffic.lags(beside)
    with traffic.flowing() as after:
        time.sleep(_ALONE_S)
    alone = traffic.lags(before + after)
    figures = [
        Figure("live events alone", len(alone.of_events), "events"),
        Figure("live events beside the replay", len(with_replay.of_events), "events"),
        Figure("replay, first sent to last counted", replayed.seconds, "s"),
        Figure("replay", _EVENTS / replayed.seconds, "events/s"),
        Figure("looks at which it gave way", 100 * replayed.slowed / replayed.looks, "%"),
    ]
    for percent in (50, 99):
        name = f"lag alone, p{percent}"
        figures.append(Figure(name, alone.percentile_s(percent), "s"))
        beside_s = with_replay.percentile_s(percent)
        figures.append(Figure(f"lag beside, p{percent}", beside_s, "s", name, "within 2x"))
    return figures


def _replay(environment: Environment) -> _Replayed:
    """Replay the day, as fast as may be, to its end.

    Raises:
        NotReplayed: it ended otherwise, or not in time.
    """
    replays = Replays.of(environment)
    selection = Selection(_DAY, _DAY + timedelta(days=1), limit=None)
    plan = replays.planner.plan(selection, replays.definitions_in(None), "bench", MAX_RATE)
    started = time.monotonic()
    replay = replays.operations.apply(plan.plan_id, Order("bench", "to measure", MAX_RATE))
    looks = slowed = 0
    while time.monotonic() - started < _DEADLINE_S:
        now = replays.operations.ledger.replay(replay.replay_id)
        if now.state is ReplayState.COMPLETED:
            return _Replayed(time.monotonic() - started, slowed, looks)
        looks, slowed = looks + 1, slowed + bool(now.slowed_because)
        time.sleep(1)
    raise NotReplayed(f"replay {replay.replay_id} is {now.state.value} after {_DEADLINE_S:.0f} s")


def _history() -> Iterator[bytes]:
    for number in range(_EVENTS):
        event = {
            "event_id": f"day-{number}",
            "event_type": ("view", "click", "purchase")[number % 3],
            "entity_id": f"user_{number % 500}",
            "event_time": format_ms(_DAY + timedelta(seconds=86_400 * number / _EVENTS)),
            "source": ("web", "mobile")[number % 2],
            "payload": {"page": f"/{number % 100}", "value": number % 1000},
        }
        yield orjson.dumps(event) + b"\n"


def _millrace(command: str, *options: str) -> None:
    result = CliRunner().invoke(app, [command, *options, "--engine", _ENGINE])
    if result.exit_code:
        raise NotReplayed(
            f"millrace {command} ended with {result.exit_code}: {result.output[-500:]}"
        )
