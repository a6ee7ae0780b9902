"""Export of a large hour: through the worker alone, and with the local engine as its store."""

import json
import subprocess
import sys
from tempfile import TemporaryDirectory
from typing import Any

from millrace_bench.figure import Figure
from millrace_local import engine as life_cycle

WHAT = "an hour of 1,000,000 events of 50 clients, one file each"

_EVENTS, _CLIENTS = "1000000", "50"
_ENGINE = "bench-export"
_BEFORE = 5_734.0  # events a second of the exporter that this one replaces, at about 200 MB


def run() -> list[Figure]:
    """Return events a second and the peak of memory, without and with a store."""
    with TemporaryDirectory() as folder:
        _step("make", folder, "--events", _EVENTS, "--clients", _CLIENTS)
        alone = _exported(folder)
    with TemporaryDirectory() as folder:
        life_cycle.start(_ENGINE, 0)
        try:
            _step("make", folder, "--events", _EVENTS, "--clients", _CLIENTS, "--engine", _ENGINE)
            stored = _exported(folder, "--engine", _ENGINE)
        finally:
            life_cycle.stop(_ENGINE)
    return [
        Figure("to beat", _BEFORE, "events/s"),
        Figure("worker alone", _rate(alone), "events/s", against="to beat"),
        Figure("with the store", _rate(stored), "events/s", against="to beat"),
        Figure("peak memory, worker alone", alone["peak_mb"], "MB", target="at most 200 MB"),
        Figure("peak memory, with the store", stored["peak_mb"], "MB", target="at most 200 MB"),
    ]


def _exported(folder: str, *options: str) -> dict[str, float]:
    figures: dict[str, float] = json.loads(_step("run", folder, *options))
    return figures


def _rate(figures: dict[str, Any]) -> float:
    return float(figures["events"] / figures["took_s"])


def _step(name: str, folder: str, *options: str) -> str:
    command = [
        sys.executable,
        "-m",
        "millrace_bench.export_hour",
        name,
        folder,
        *options,
    ]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
