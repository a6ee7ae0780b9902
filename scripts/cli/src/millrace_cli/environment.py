"""Where the deployed pipeline is: Terraform's outputs and, for the local engine, its address."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from botocore.credentials import Credentials
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millrace_cli.aws import Clients
from millrace_cli.deployment import Deployment, current_outputs
from millrace_cli.errors import CommandError, ExitCode
from millrace_local.engine import DEFAULT_NAME, Engine, running
from millrace_local.errors import LocalEngineError

DEFAULT_ENGINE = DEFAULT_NAME
LOCAL = "local"
"""The environment that is a local engine's."""


class Tables(BaseModel):
    """The names of the tables that the command reads."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    commits: str
    gate: str
    event_index: str
    aggregates: str
    manifests: str
    assignments: str
    experiments: str
    replays: str | None = None
    """Of a pipeline deployed before there were replays there is none."""
    markers: str | None = None
    """Only who promotes a replay reads them."""
    audit: str | None = None
    """Of a pipeline deployed before there was an audit there is none."""
    notes: str | None = None
    """Of a pipeline deployed before failures were noted there is none."""


class Outputs(BaseModel):
    """Terraform's outputs, as far as the command needs them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    region: str
    name_prefix: str
    stream_arn: str
    stream_incarnation: str
    data_bucket: str
    api_endpoint: str | None = None
    """Of a pipeline deployed without the HTTP API there is none."""
    metrics_key: str | None = None
    """Key of the deployed metric definitions in the data bucket."""
    tables: Tables
    functions: Mapping[str, str] = Field(default_factory=dict)
    """Names by service."""
    schedules: Mapping[str, str] = Field(default_factory=dict)
    """Names of the rules that call a function by the clock, by service."""
    repair_days: int = 30
    """How long from its arrival a discarded record can be repaired."""
    queue_urls: Mapping[str, str]
    dlq_urls: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Environment:
    """One deployed pipeline and how to reach it."""

    outputs: Outputs
    clients: Clients
    mapping_state: Path | None = None
    """Where the local engine keeps the health of its Kinesis mappings; None on AWS."""
    logs: Path | None = None
    """The folder of the local engine's logs; None on AWS."""
    endpoint: str | None = None
    """The local engine's address; None on AWS."""


def load_environment(
    engine: str, outputs_file: Path | None = None, env: str | None = None
) -> Environment:
    """Return the environment of the local engine `engine`, or one on AWS.

    env: the one that `make deploy` deployed under this name; `local` is the engine's.
    outputs_file: the one that these outputs are of.

    Raises:
        CommandError: the engine is not running, Terraform has not been applied, or the outputs are
            incomplete or out of date.
    """
    if env not in {None, LOCAL}:
        if outputs_file is not None:
            raise CommandError(
                "both --env and --outputs name a deployment",
                "give one of them (MILLRACE_ENV and MILLRACE_OUTPUTS count too)",
                ExitCode.USAGE,
            )
        outputs_file = current_outputs(Deployment(str(env)))
    if outputs_file is not None:
        outputs = _outputs(outputs_file, "write it with `terraform output -json`")
        return Environment(outputs, Clients.on_aws(outputs.region))
    try:
        found = running(engine)
    except LocalEngineError as err:
        raise CommandError(str(err)) from err
    return Environment(
        _outputs(
            found.folder.outputs, f"engine {engine} has no pipeline yet: deploy it with `make run`"
        ),
        Clients(found.client, lambda: _credentials(found)),
        found.folder.mapping_state,
        found.folder.logs,
        found.endpoint,
    )


def _credentials(engine: Engine) -> Credentials:
    variables = engine.environment()
    return Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])


def _outputs(file: Path, remedy: str) -> Outputs:
    try:
        raw = json.loads(file.read_text())
    except FileNotFoundError as err:
        raise CommandError(f"there is no {file}", remedy) from err
    except (OSError, ValueError) as err:
        raise CommandError(f"cannot read {file}: {err}", remedy) from err
    try:
        return Outputs.model_validate(_plain(raw))
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise CommandError(
            f"{file}: output {field}: {first['msg'].lower()}", "apply Terraform again (`make run`)"
        ) from err


def _plain(raw: object) -> object:
    """Return outputs by name, also from `terraform output -json`, which wraps each value."""
    if not isinstance(raw, dict):
        return raw
    return {
        name: value["value"] if isinstance(value, dict) and "value" in value else value
        for name, value in raw.items()
    }
