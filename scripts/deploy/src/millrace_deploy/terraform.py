"""Running Terraform in one root: working files below `.millrace`, its words on the screen."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace_deploy.errors import DeployError
from millrace_local.errors import LocalEngineError
from millrace_local.project import default_root
from millrace_local.terraform.process import child
from millrace_local.terraform.program import cli_configuration, find_terraform, provider_mirror

# SQS resources wait 25 s each in the provider: what can wait at the same time should.
_PARALLELISM = "-parallelism=30"
_LOCK_TIMEOUT = "-lock-timeout=60s"
# A line for each resource that is looked at says nothing; what changes is shown.
_NOISE = (": Refreshing state...", ": Reading...", ": Read complete after", ": Still ")


@dataclass(frozen=True, slots=True)
class Terraform:
    """Terraform in `root`. folder: for what it keeps between calls; one for each state."""

    root: Path
    folder: Path
    variables: Mapping[str, str]
    backend: Mapping[str, str]

    def init(self) -> None:
        """Connect to the state, and install the provider.

        Raises:
            DeployError: Terraform is missing or too old, or failed, with its own words above.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        cache = default_root().resolve() / "plugins"
        cache.mkdir(parents=True, exist_ok=True)
        try:
            self._cli_configuration.write_text(cli_configuration(provider_mirror(), cache))
        except LocalEngineError as err:
            raise DeployError(str(err)) from err
        settings = [f"-backend-config={name}={value}" for name, value in self.backend.items()]
        self._run("init", "-input=false", "-reconfigure", *settings, quiet=True)

    def plan(self, *, destroy: bool = False) -> dict[str, Any]:
        """Plan, save the plan, and return it (`terraform show -json`)."""
        variables = [f"-var={name}={value}" for name, value in self.variables.items()]
        options = ["-destroy"] if destroy else []
        saved = f"-out={self._plan}"
        self._run("plan", "-input=false", _LOCK_TIMEOUT, saved, *options, *variables)
        shown: dict[str, Any] = json.loads(self._output("show", "-json", str(self._plan)))
        return shown

    def apply(self) -> None:
        """Apply the saved plan, all of it and nothing else."""
        self._run("apply", "-input=false", _LOCK_TIMEOUT, _PARALLELISM, str(self._plan))
        self._plan.unlink()

    def outputs(self) -> dict[str, Any]:
        """Return the outputs in the state, by name."""
        outputs = json.loads(self._output("output", "-json"))
        return {name: output["value"] for name, output in outputs.items()}

    def forget(self) -> None:
        """Remove the working files."""
        shutil.rmtree(self.folder)

    @property
    def _plan(self) -> Path:
        return self.folder / "saved.tfplan"

    @property
    def _cli_configuration(self) -> Path:
        return self.folder / "terraform.rc"

    def _run(self, command: str, *arguments: str, quiet: bool = False) -> None:
        """Run a command; its words go to the screen, with `quiet` only if it fails."""
        colour = () if sys.stdout.isatty() else ("-no-color",)
        held: list[str] = []
        with self._start(command, *colour, *arguments) as process:
            for line in process.stdout or []:
                if quiet:
                    held.append(line)
                elif not any(noise in line for noise in _NOISE):
                    print(line, end="", flush=True)
        if process.returncode != 0:
            print("".join(held), end="", flush=True)
            raise DeployError(f"terraform {command} failed", "its own words are above")

    def _output(self, *arguments: str) -> str:
        with self._start(*arguments) as process:
            output, _ = process.communicate()
        if process.returncode != 0:
            raise DeployError(f"terraform {arguments[0]} failed: {output.strip()}")
        return output

    def _start(self, *arguments: str) -> AbstractContextManager[subprocess.Popen[str]]:
        try:
            command = [find_terraform(), f"-chdir={self.root}", *arguments]
        except LocalEngineError as err:
            raise DeployError(str(err)) from err
        return child(command, self._environment(), lambda text: print(text, file=sys.stderr))

    def _environment(self) -> dict[str, str]:
        """Return the caller's environment: credentials, profile, region, endpoint, proxy."""
        direct = [*filter(None, [os.environ.get("NO_PROXY")]), "127.0.0.1", "localhost"]
        return {
            **os.environ,
            "NO_PROXY": ",".join(direct),
            "TF_DATA_DIR": str(self.folder / "data"),
            "TF_CLI_CONFIG_FILE": str(self._cli_configuration),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
