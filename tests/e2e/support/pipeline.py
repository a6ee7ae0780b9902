"""The deployed pipeline, driven as its users drive it: by the `millrace` command."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from millrace_cli.environment import load_environment
from millrace_cli.pipeline import PipelineReader
from millrace_local.testing import Deployed
from millrace_testing.wait import wait_until

DATA = Path(__file__).parents[4] / "shared/data"
NO_DATA = "../shared/data is not beside this checkout"
WIKITICKER = DATA / "wikiticker-2015-09-12-sampled.json.gz"
_COLUMNS = (
    "event_time=time entity_id=user client_id=channel source=const:wikipedia event_type=const:edit"
)
WIKITICKER_MAP = tuple(part for pair in _COLUMNS.split() for part in ("--map", pair))
SETTLE_DEADLINE_S = 300
STAGES = ("ingest", "enrich", "aggregate", "archive")
"""The functions of the live path."""
RINGS_S = 90
"""Seconds in which an alarm rings."""
SCHEDULED = {"detail-type": "Scheduled Event"}
"""What a schedule calls a function with."""


@dataclass(frozen=True)
class Pipeline:
    """One deployment and the command line that talks to it."""

    deployed: Deployed

    @property
    def outputs(self) -> Mapping[str, Any]:
        """Terraform's outputs."""
        return self.deployed.outputs

    def millrace(self, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> str:
        """Run the command against this deployment and return what it printed."""
        ran = subprocess.run(
            [Path(sys.executable).with_name("millrace"), *arguments],
            env={"MILLRACE_ENGINE": self.deployed.engine.name, "PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode in exit_codes, ran.stderr
        return ran.stdout

    @cached_property
    def _reader(self) -> PipelineReader:
        return PipelineReader(load_environment(self.deployed.engine.name))

    def status(self) -> dict[str, Any]:
        """Return what ledger, stream and queues hold, as `millrace run` reads it while it waits.

        Read in this process: tests ask some hundred times, and a command takes a second to start.
        """
        return self._reader.status().as_dict()

    def cockpit(self) -> dict[str, Any]:
        """Return what `millrace status` tells, whatever it says (3: something is missing)."""
        status: dict[str, Any] = json.loads(self.millrace("status", "--json", exit_codes=(0, 3)))
        return status

    def settled(self, received: int) -> dict[str, Any]:
        """Wait until so many records were received and all of them came to their end."""

        def at_rest() -> dict[str, Any] | None:
            status = self.status()
            done = status["counts"]["received"] >= received and not status["unaccounted"]
            return status if done else None

        return wait_until(at_rest, SETTLE_DEADLINE_S, 0.5)

    def put(self, file: Path, *arguments: str) -> dict[str, Any]:
        """Send a file and return the totals before it."""
        before: dict[str, Any] = self.status()["counts"]
        self.millrace("put", str(file), *arguments)
        return before
