"""The environments of `terraform/envs`, and the values each of them was given."""

import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from millrace_deploy.errors import DeployError

SETTINGS = "terraform.tfvars.json"


class Settings(BaseModel):
    """What terraform.tfvars.json says, as far as deploying needs it; Terraform reads all of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name_prefix: str
    region: str
    account_id: str | None = None
    """The only account that may be deployed to; None for that of the credentials."""
    kms_key_arn: str = ""
    """The key of the pipeline, and of the state bucket; empty for AWS's own."""
    local_engine: bool | None = None
    """None: this environment cannot be deployed to the local engine."""


@dataclass(frozen=True, slots=True)
class Environment:
    """One folder of `terraform/envs`."""

    name: str
    root: Path
    settings: Settings


def environment_names(envs: Path) -> tuple[str, ...]:
    """Return the names of the environments that can be deployed, sorted.

    `local` is none of them: it has no settings, and `make run` applies it.
    """
    return tuple(sorted(path.parent.name for path in envs.glob(f"*/{SETTINGS}")))


def find_environment(envs: Path, name: str) -> Environment:
    """Return an environment by its name.

    Raises:
        DeployError: no name was given, there is no such environment, or its settings are wrong.
    """
    known = ", ".join(environment_names(envs))
    if not name:
        raise DeployError("no environment is named", f"give one: ENV=<one of {known}>")
    if name not in environment_names(envs):
        raise DeployError(f"there is no environment {name!r}", f"give one of {known}")
    file = envs / name / SETTINGS
    try:
        settings = Settings.model_validate(json.loads(file.read_text()))
    except ValidationError as err:
        first = err.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise DeployError(f"{file}: {field}: {first['msg']}", f"correct {SETTINGS}") from err
    except ValueError as err:
        raise DeployError(f"{file} is not JSON: {err}", f"correct {SETTINGS}") from err
    return Environment(name, envs / name, settings)
