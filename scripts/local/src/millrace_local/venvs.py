"""The engine's two virtual environments, made by uv from hashed requirements."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millrace_local.errors import LocalEngineError
from millrace_local.project import project_root

_COMPLETE = "complete"


@dataclass(frozen=True)
class Interpreters:
    """The Python of the engine and the one that runs functions (which sees boto3 only)."""

    engine: Path
    runtime: Path


def ensure_venvs(root: Path, say: Callable[[str], None]) -> Interpreters:
    """Return the interpreters, making a venv that is missing or whose requirements changed.

    Raises: LocalEngineError: uv is missing, or cannot install.
    """
    requirements = project_root() / "requirements"
    with _locked(root / "venvs"):
        return Interpreters(
            engine=_ensure(root / "venvs", "engine", requirements / "engine.txt", say),
            runtime=_ensure(root / "venvs", "runtime", requirements / "lambda-runtime.txt", say),
        )


def missing_venvs(root: Path) -> tuple[str, ...]:
    """Return which of the two environments the next start of an engine has to install."""
    requirements = project_root() / "requirements"
    return tuple(
        name
        for name, file in (("engine", "engine.txt"), ("runtime", "lambda-runtime.txt"))
        if not (_place(root / "venvs", name, requirements / file) / _COMPLETE).exists()
    )


def find_uv() -> str:
    """Return uv: variable UV, else the project's .tools/bin/uv, else the one on PATH."""
    if given := os.environ.get("UV"):
        if found := shutil.which(given):
            return found
        raise LocalEngineError(f"UV={given} is not a program: correct or unset UV")
    candidates = (
        str(project_root() / ".tools" / "bin" / "uv"),
        str(Path(sys.executable).parent / "uv"),
        "uv",
    )
    for candidate in candidates:
        if found := shutil.which(candidate):
            return found
    raise LocalEngineError("uv is missing: run `make setup`, or install it (pip install uv)")


def _ensure(folder: Path, name: str, requirements: Path, say: Callable[[str], None]) -> Path:
    venv = _place(folder, name, requirements)
    python = venv / "bin" / "python"
    if not (venv / _COMPLETE).exists():
        say(f"installing the {name} environment")
        shutil.rmtree(venv, ignore_errors=True)
        uv = find_uv()
        _run([uv, "venv", "--quiet", "--python", sys.executable, str(venv)])
        _run(
            [
                uv,
                "pip",
                "sync",
                "--quiet",
                "--require-hashes",
                "--python",
                str(python),
                str(requirements),
            ]
        )
        (venv / _COMPLETE).touch()
    return python


def _place(folder: Path, name: str, requirements: Path) -> Path:
    content = requirements.read_bytes() + sys.version.encode()
    return folder / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalEngineError(f"{' '.join(command[:4])} failed: {done.stderr.strip()[-2000:]}")


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the folder for one process: two engines may start at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
