"""What the checks ask of a machine; a fake of it stands for every machine that lacks something."""

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from millrace_build import BuildError
from millrace_build.build import stale
from millrace_cli.aws import Clients
from millrace_cli.environment import load_environment
from millrace_cli.pipeline import NoHistory, PipelineReader
from millrace_local.engine import Status, status
from millrace_local.ports import HOST
from millrace_local.project import default_root, project_root
from millrace_local.terraform.program import find_terraform, provider_mirror
from millrace_local.venvs import find_uv, missing_venvs

_MEMINFO = Path("/proc/meminfo")
_COMMAND_DEADLINE_S = 20


class Machine(Protocol):
    """The outside, as the checks see it. Nothing here changes anything."""

    @property
    def python(self) -> tuple[int, int]:
        """Version of the Python that runs."""
        ...

    def has_module(self, name: str) -> bool:
        """Tell whether Python can import a module."""
        ...

    def output(self, command: Sequence[str]) -> str | None:
        """Return what a program prints; None if it is not there or fails."""
        ...

    def is_set_up(self) -> bool:
        """Tell whether .venv is made of the requirements and packages as they are."""
        ...

    def terraform(self) -> str:
        """Return Terraform's path; raises LocalEngineError."""
        ...

    def provider_mirror(self) -> Path | None:
        """Return where providers come from; None: the registry; raises LocalEngineError."""
        ...

    def uv(self) -> str:
        """Return uv's path; raises LocalEngineError."""
        ...

    def unwritable(self) -> list[Path]:
        """Return the folders that the commands write to and may not."""
        ...

    def free_disk_bytes(self) -> int:
        """Return what is free where the project lies."""
        ...

    def available_memory_bytes(self) -> int | None:
        """Return what programs can still have; None if the system does not say."""
        ...

    def port_is_free(self, port: int) -> bool:
        """Tell whether nothing listens on a port of this machine."""
        ...

    def missing_venvs(self) -> tuple[str, ...]:
        """Return which of the engine's environments are not installed."""
        ...

    def stale_zips(self) -> tuple[str, ...]:
        """Return the services whose zips are not of the sources as they are."""
        ...

    def engine(self, name: str) -> Status:
        """Return what is known of a local engine."""
        ...

    def account(self) -> str:
        """Return the AWS account of the credentials; raises what AWS raises."""
        ...

    def read_pipeline(self, env: str) -> None:
        """Read a deployment as `millrace status` does; raises CommandError."""
        ...


class ThisMachine:
    """`Machine` as it is here."""

    @property
    def python(self) -> tuple[int, int]:
        """Version of the Python that runs."""
        return sys.version_info[:2]

    def has_module(self, name: str) -> bool:
        """Tell whether Python can import a module."""
        return importlib.util.find_spec(name) is not None

    def output(self, command: Sequence[str]) -> str | None:
        """Return what a program prints; None if it is not there or fails."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, cwd=project_root(),
                timeout=_COMMAND_DEADLINE_S,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            return None
        return done.stdout

    def is_set_up(self) -> bool:
        """Ask make, which knows what the environment is made of."""
        return self.output(["make", "--question", ".venv/.setup-complete"]) is not None

    def terraform(self) -> str:
        """Return Terraform's path."""
        return find_terraform()

    def provider_mirror(self) -> Path | None:
        """Return where providers come from; None: the registry."""
        return provider_mirror()

    def uv(self) -> str:
        """Return uv's path."""
        return find_uv()

    def unwritable(self) -> list[Path]:
        """Return the folders that the commands write to and may not."""
        root = project_root()
        folders = (root, root / ".venv", root / "dist", default_root())
        return [
            each for each in folders if each.exists() and not os.access(each, os.W_OK | os.X_OK)
        ]

    def free_disk_bytes(self) -> int:
        """Return what is free where the project lies."""
        return shutil.disk_usage(project_root()).free

    def available_memory_bytes(self) -> int | None:
        """Return Linux's estimate (proc(5), MemAvailable); other systems do not say."""
        if not _MEMINFO.is_file():
            return None
        sizes = dict(line.split(":", 1) for line in _MEMINFO.read_text().splitlines())
        return int(sizes["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in sizes else None

    def port_is_free(self, port: int) -> bool:
        """Tell whether nothing listens on a port of this machine."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                return False
        return True

    def missing_venvs(self) -> tuple[str, ...]:
        """Return which of the engine's environments are not installed."""
        return missing_venvs(default_root())

    def stale_zips(self) -> tuple[str, ...]:
        """Return the services whose zips are not of the sources as they are."""
        try:
            return stale()
        except BuildError:
            return ("all",)

    def engine(self, name: str) -> Status:
        """Return what is known of a local engine."""
        return status(name)

    def account(self) -> str:
        """Return the AWS account of the credentials."""
        return Clients.account()

    def read_pipeline(self, env: str) -> None:
        """Read a deployment as `millrace status` does."""
        PipelineReader(load_environment("", env=env)).status(NoHistory())
