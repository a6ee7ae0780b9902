"""Runs Terraform for one engine: init, plan, apply, outputs, and the second plan."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace_local.engine import Engine, Say, restart_empty, running
from millrace_local.errors import LocalEngineError
from millrace_local.files import write_json
from millrace_local.project import project_root
from millrace_local.terraform.allowlist import is_allowed, read_allowlist
from millrace_local.terraform.drift import changes_of
from millrace_local.terraform.events import EventReader, Progress
from millrace_local.terraform.inputs import fingerprint
from millrace_local.terraform.lock import deploying
from millrace_local.terraform.process import child
from millrace_local.terraform.program import cli_configuration, find_terraform, provider_mirror

# SQS resources wait 25 s each in the provider: what can wait at the same time should.
_PARALLELISM = "30"
OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Deployment:
    """What is deployed. was_applied: False when nothing had changed and nothing was run."""

    outputs: Mapping[str, Any]
    was_applied: bool


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


class Terraform:
    """Terraform with one configuration and one engine."""

    def __init__(
        self, engine: Engine, configuration: Path | None = None, say: Say = _to_standard_error
    ) -> None:
        """Prepare for `configuration` (default: terraform/envs/local of the project).

        say: hears why nothing happens for a while.
        """
        self._engine = engine
        self._say = say
        self._configuration = configuration or project_root() / "terraform" / "envs" / "local"
        self._folder = engine.folder.terraform
        self._variables = self._folder / "variables.tfvars.json"
        self._applied = self._folder / "applied.json"
        self._begun = self._folder / "begun"

    def apply(
        self, variables: Mapping[str, Any], on_progress: OnProgress = lambda _: None
    ) -> Deployment:
        """Apply the configuration and save its outputs; do nothing if nothing has changed.

        An engine whose first apply did not complete is emptied before: it may hold what Terraform's
        state does not know of. Another run's apply to the same engine is waited for.

        variables: files that they name, and the zips of `artifacts_dir`, count as input too.
        Raises: LocalEngineError: Terraform is missing, or failed, with its own words.
            KeyboardInterrupt: Terraform has ended, the next apply continues.
        """
        with deploying(self._engine.folder, self._say) as waited:
            if waited:
                self._engine = running(self._engine.name, self._engine.folder.root)
            wanted = {"fingerprint": fingerprint(self._configuration, variables)}
            if self._is_applied(wanted):
                return Deployment(self.outputs(), was_applied=False)
            if self._was_broken_off():
                self._say(f"no apply has ever completed: engine {self._engine.name} is emptied")
                self._engine = restart_empty(self._engine, self._say)
            self._apply(variables, on_progress)
            write_json(self._applied, wanted)
            return Deployment(self.outputs(), was_applied=True)

    def repair(self, on_progress: OnProgress = lambda _: None) -> Deployment:
        """Apply once more what was applied last: what was changed by hand becomes as it was.

        Raises: LocalEngineError: nothing was ever applied, or Terraform failed, in its own words.
        """
        with deploying(self._engine.folder, self._say):
            self.outputs()
            variables = json.loads(self._variables.read_text())
            wanted = {"fingerprint": fingerprint(self._configuration, variables)}
            self._apply(variables, on_progress)
            write_json(self._applied, wanted)
            return Deployment(self.outputs(), was_applied=True)

    def _is_applied(self, wanted: Mapping[str, str]) -> bool:
        if not (self._applied.exists() and self._engine.folder.outputs.exists()):
            return False
        return bool(json.loads(self._applied.read_text()) == wanted)

    def _was_broken_off(self) -> bool:
        """Say whether an apply has begun and none has ever completed."""
        return self._begun.exists() and not self._engine.folder.outputs.exists()

    def _apply(self, variables: Mapping[str, Any], on_progress: OnProgress) -> None:
        self._applied.unlink(missing_ok=True)  # what is there now is about to change
        self._init()
        write_json(self._variables, variables)
        plan = self._run("plan", "-json", "-input=false", f"-out={self._plan}", self._var_file)
        self._begun.touch()
        self._run(
            *("apply", "-json", "-input=false", f"-parallelism={_PARALLELISM}", str(self._plan)),
            reader=EventReader(plan.total),
            on_progress=on_progress,
        )
        write_json(self._engine.folder.outputs, self._read_outputs())

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last apply. Raises: LocalEngineError: there was none."""
        return read_outputs(self._engine)

    def plan_drift(self) -> list[str]:
        """Plan again and return what would change (`address: attribute`) but the allowlist."""
        path = self._folder / "second.tfplan"
        self._run("plan", "-json", "-input=false", f"-out={path}", self._var_file)
        plan = json.loads(self._output("show", "-json", str(path)))
        allowlist = read_allowlist()
        return sorted(str(c) for c in changes_of(plan) if not is_allowed(c, allowlist))

    @property
    def _plan(self) -> Path:
        return self._folder / "apply.tfplan"

    @property
    def _var_file(self) -> str:
        return f"-var-file={self._variables}"

    def _init(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        cache = self._engine.folder.root.resolve() / "plugins"
        cache.mkdir(parents=True, exist_ok=True)
        configuration = cli_configuration(provider_mirror(), cache)
        self._cli_configuration.write_text(configuration)
        state = self._folder / "terraform.tfstate"
        self._run("init", "-json", "-input=false", f"-backend-config=path={state}")

    @property
    def _cli_configuration(self) -> Path:
        return self._folder / "terraform.rc"

    def _run(
        self,
        *arguments: str,
        reader: EventReader | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> EventReader:
        reader = reader or EventReader()
        log = self._engine.folder.logs / "terraform.log"
        with log.open("a") as copy, self._start(*arguments) as process:
            for line in process.stdout or []:
                copy.write(line)
                if progress := reader.read(line):
                    on_progress(progress)
        if process.returncode != 0:
            reasons = "\n".join(reader.errors) or "no reason given"
            raise LocalEngineError(
                f"terraform {arguments[0]} failed: {reasons}\n(all of it: {log})"
            )
        return reader

    def _output(self, *arguments: str) -> str:
        with self._start(*arguments) as process:
            output, _ = process.communicate()
        if process.returncode != 0:
            raise LocalEngineError(f"terraform {arguments[0]} failed: {output.strip()}")
        return output

    def _read_outputs(self) -> dict[str, Any]:
        outputs = json.loads(self._output("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def _start(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        command = [find_terraform(), f"-chdir={self._configuration}", *arguments]
        return child(command, self._environment(), self._say)

    def _environment(self) -> dict[str, str]:
        """Return the caller's environment, its proxy included, but none of its AWS or Terraform."""
        inherited = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "TF_"))}
        direct = [*filter(None, [inherited.get("NO_PROXY")]), "127.0.0.1", "localhost"]
        return {
            **inherited,
            **self._engine.environment(),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "NO_PROXY": ",".join(direct),
            "TF_DATA_DIR": str(self._folder / "data"),
            "TF_CLI_CONFIG_FILE": str(self._cli_configuration),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }


def read_outputs(engine: Engine) -> dict[str, Any]:
    """Return the outputs of the engine's last apply.

    Raises: LocalEngineError: nothing was applied to it.
    """
    try:
        outputs: dict[str, Any] = json.loads(engine.folder.outputs.read_text())
    except FileNotFoundError as err:
        raise LocalEngineError(
            f"nothing is deployed on engine {engine.name}: run `make run`"
        ) from err
    return outputs
