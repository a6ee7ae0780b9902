"""A busy hour through the whole pipeline on the local engine, every record accounted for."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import orjson

from millrace.times import format_ms
from millrace_bench.figure import Figure

WHAT = "200,000 events of one simulated hour: sent, stored, enriched, aggregated, archived"

_EVENTS, _REPEATED, _MALFORMED = 200_000, 2_000, 200
_HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
_ENGINE = "bench-busy-hour"
_STALL_S = "300"


class Unaccounted(Exception):
    """Some record did not come to its end, or to two."""


def run() -> list[Figure]:
    """Deploy to an engine of its own, send the hour, wait for all of it; end the engine.

    Raises:
        Unaccounted: a stage holds more or less than it was given.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "hour.ndjson"
        file.write_bytes(b"".join(line + b"\n" for line in _records()))
        try:
            report = _run(file)
            _check(report["run"], _counted())
        finally:
            _millrace("stop")
    sent, seconds = report["run"]["sent"], report["run"]["seconds"]
    return [
        Figure("events", _EVENTS, "events"),
        Figure("records sent", sent, "records"),
        Figure("first sent to last archived", seconds, "s"),
        Figure("rate", sent / seconds, "records/s"),
        Figure("unaccounted for", len(report["run"]["unaccounted"]), "gaps", target="none"),
    ]


def _records() -> Iterator[bytes]:
    """Yield the hour in order of time; some records are sent twice, some are no events."""
    random = Random(20_251_228)  # noqa: S311 - a reproducible sample, not a secret
    for number in range(_EVENTS):
        at = _HOUR + timedelta(seconds=3600 * number / _EVENTS)
        line = orjson.dumps(
            {
                "event_id": f"busy-{number}",
                "event_type": random.choice(["view", "view", "view", "click", "purchase"]),
                "entity_id": f"user_{random.randrange(500)}",
                "event_time": format_ms(at),
                "source": random.choice(["web", "mobile"]),
                "payload": {"page": f"/{random.randrange(100)}", "value": random.randrange(1000)},
            }
        )
        yield line
        if number % (_EVENTS // _REPEATED) == 0:
            yield line
        if number % (_EVENTS // _MALFORMED) == 0:
            yield b'{"event_type": "view"}'


def _run(file: Path) -> dict[str, Any]:
    options = ("--format", "lines", "--port", "0", "--stall", _STALL_S, "--json")
    report: dict[str, Any] = json.loads(_millrace("run", "--events", str(file), *options))
    return report


def _counted() -> int:
    """Return how many events the hour's aggregates say there were."""
    options = ("--metric", "event_count", "--from", f"{_HOUR:%Y-%m-%dT%H}", "--json")
    scopes = [f"TYPE#{event_type}" for event_type in ("view", "click", "purchase")]
    found = [json.loads(_millrace("aggregates", "--scope", scope, *options)) for scope in scopes]
    return sum(row["value"] for rows in found for row in rows)


def _check(run: dict[str, Any], counted: int) -> None:
    expected = dict.fromkeys(("accepted", "enriched", "aggregated", "archived"), _EVENTS) | {
        "received": _EVENTS + _REPEATED + _MALFORMED,
        "duplicates": _REPEATED,
        "quarantined": _MALFORMED,
    }
    found = {name: run[name] for name in expected}
    if found != expected or counted != _EVENTS or run["unaccounted"]:
        raise Unaccounted(f"{found}, {counted} in the aggregates, gaps {run['unaccounted']}")


def _millrace(command: str, *options: str) -> str:
    program = Path(sys.executable).with_name("millrace")
    done = subprocess.run(
        [program, command, *options, "--engine", _ENGINE],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode not in (0, 3):  # 3: unaccounted, which the report says better
        raise Unaccounted(f"millrace {command} ended with {done.returncode}")
    return done.stdout
