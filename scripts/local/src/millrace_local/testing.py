"""Pytest plugin (`-p millrace_local.testing`): a blank engine, and one with everything deployed.

Each is started once per session and ended with it. A session that was killed leaves its engines
to the next one, which ends them.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from millrace_local.engine import Engine

# The engine's modules are imported where they are used: the plugin is loaded for unit tests too.
_PREFIX = "test-"


@dataclass(frozen=True)
class Deployed:
    """The pipeline on an engine of its own. outputs: those of terraform/envs/local."""

    engine: "Engine"
    outputs: Mapping[str, Any]

    def client(self, service: str) -> Any:  # noqa: ANN401 - boto3's are dynamic
        """Return a boto3 client with all rights."""
        return self.engine.client(service)


@pytest.fixture(scope="session")
def engine() -> Iterator["Engine"]:
    """A blank engine on a free port; name what you create so that tests do not meet."""
    with temporary_engine("blank") as started:
        yield started


@pytest.fixture(scope="session")
def artifacts_dir() -> Path:
    """The folder of the zips, built from the sources as they are. Override to deliver others."""
    artifacts = import_module("millrace_build.build").build_all()
    folder: Path = artifacts[0].path.parent
    return folder


@pytest.fixture(scope="session")
def terraform_variables(artifacts_dir: Path) -> Mapping[str, Any]:
    """The variables of terraform/envs/local. Override to deploy with others."""
    return {"artifacts_dir": str(artifacts_dir)}


@pytest.fixture(scope="session")
def deployed(terraform_variables: Mapping[str, Any]) -> Iterator[Deployed]:
    """The whole pipeline, by the project's own Terraform: about a minute, once per session."""
    terraform = import_module("millrace_local.terraform")
    with temporary_engine("deployed") as started:
        deployment = terraform.Terraform(started).apply(terraform_variables)
        yield Deployed(started, deployment.outputs)


@contextmanager
def temporary_engine(role: str) -> Iterator["Engine"]:
    """Start an engine on a free port and end it, whatever happens in between."""
    life_cycle = import_module("millrace_local.engine")
    _end_abandoned()
    name = f"{_PREFIX}{os.getpid()}-{role}"
    started: Engine = life_cycle.start(name, 0)
    try:
        yield started
    finally:
        life_cycle.stop(name)


def _end_abandoned() -> None:
    life_cycle = import_module("millrace_local.engine")
    for folder in life_cycle.default_root().glob(f"{_PREFIX}*"):
        pid = folder.name.removeprefix(_PREFIX).split("-")[0]
        if pid.isdigit() and not _runs(int(pid)):
            life_cycle.stop(folder.name)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
