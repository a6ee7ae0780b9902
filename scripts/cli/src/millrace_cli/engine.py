"""The local engine as `millrace run` and `stop` use it: build, start, deploy, end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millrace.definitions import parse
from millrace.errors import ConfigError
from millrace_build import BuildError, Workspace, build_all
from millrace_cli.errors import CommandError
from millrace_local import engine as local_engine
from millrace_local.errors import LocalEngineError
from millrace_local.ports import DEFAULT_PORT
from millrace_local.terraform import Terraform
from millrace_local.terraform.program import find_terraform

Say = Callable[[str], None]
Show = Callable[[int, int], None]
"""Hears how many of Terraform's resources are done."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Which engine to use, and what to deploy to it."""

    engine: str = local_engine.DEFAULT_NAME
    port: int = DEFAULT_PORT
    """0 takes any free one; a running engine keeps its own."""
    metrics: Path | None = None
    """Metric definitions; None are those of the local environment."""


def deploy(deployment: Deployment, say: Say, show: Show = lambda _done, _total: None) -> None:
    """Build the zips, start or reuse the engine, apply Terraform; `say` hears of each step.

    What would stop it later is looked at before anything is started.

    Raises:
        CommandError: Terraform or uv is missing, the port is taken, the metrics file is not there
            or wrong, a build fails or Terraform does; the message says what to do.
    """
    if deployment.metrics:
        _check_metrics(deployment.metrics)
    with _explained():
        find_terraform()
        say("Building the functions' zips")
        build_all()
        say(f"Starting the local engine, or finding it: {deployment.engine}")
        engine = local_engine.start(deployment.engine, deployment.port, say=say)
        say("Applying Terraform (the first time takes a minute or two)")
        Terraform(engine).apply(_variables(deployment), lambda now: show(now.done, now.total))


def _check_metrics(file: Path) -> None:
    if not file.is_file():
        raise CommandError(f"there is no metrics file {file}", "check --metrics")
    try:
        parse(file.read_bytes(), str(file))
    except ConfigError as err:
        raise CommandError(str(err), "correct the metrics file (nothing was started)") from err
    except OSError as err:
        raise CommandError(f"cannot read {file}: {err.strerror}", "check --metrics") from err


def _variables(deployment: Deployment) -> dict[str, str]:
    variables = {"artifacts_dir": str(Workspace.here().dist)}
    if deployment.metrics:
        variables["metrics_file"] = str(deployment.metrics.resolve())
    return variables


def stop(name: str) -> bool:
    """End the engine and remove its state; return False if there was none.

    Raises:
        CommandError: it cannot be ended.
    """
    with _explained():
        return local_engine.stop(name)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (BuildError, LocalEngineError) as err:
        raise CommandError(str(err)) from err
