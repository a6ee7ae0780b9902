"""The options that several commands share."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from millrace_cli.environment import DEFAULT_ENGINE, Environment, load_environment
from millrace_cli.operators import Reason

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
Engine = Annotated[
    str,
    typer.Option(help="Name of the local engine.", envvar="MILLRACE_ENGINE", show_default=True),
]
Env = Annotated[
    str | None,
    typer.Option(
        "--env",
        help="Environment that `make deploy` deployed (dev, or dev/PREFIX); without it the local "
        "engine.",
        envvar="MILLRACE_ENV",
    ),
]
OutputsFile = Annotated[
    Path | None,
    typer.Option(
        "--outputs",
        help="JSON of `terraform output -json`: use that deployment on AWS, not the local engine.",
        envvar="MILLRACE_OUTPUTS",
    ),
]


@dataclass(frozen=True, slots=True)
class Target:
    """The options that say which deployment a command is about."""

    engine: Engine = DEFAULT_ENGINE
    env: Env = None
    outputs: OutputsFile = None

    def load(self) -> Environment:
        """Return how to reach it.

        Raises:
            CommandError: it is not there, or out of date.
        """
        return load_environment(self.engine, self.outputs, self.env)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The options of a command that changes something: only to say what, why, and where."""

    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done; do nothing.")
    ] = False
    reason: Reason = ""
    as_json: AsJson = False
    target: Target


class Door(StrEnum):
    """Where events enter the pipeline."""

    STREAM = "stream"
    API = "api"


Via = Annotated[
    Door,
    typer.Option(
        "--via",
        help="stream: straight onto Kinesis; api: POST /ingest, which refuses invalid events.",
    ),
]
