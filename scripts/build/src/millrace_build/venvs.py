"""Bare virtual environments that hold exactly what one hashed requirements file locks."""

import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from millrace_build.errors import BuildError
from millrace_build.uv import run_uv
from millrace_build.workspace import Workspace


def ensure_venv(workspace: Workspace, requirements: Path) -> Path:
    """Return the Python of an environment with only `requirements` in it, made if need be.

    It lies in `.millrace/venvs/<name>-<hash>`, so a changed file gets a new one; processes
    that ask at once wait for the first (this call blocks while it installs).
    Raises: BuildError: the file is missing, or its install failed.
    """
    if not requirements.is_file():
        raise BuildError(f"{requirements} is missing: run `make lock`")
    identity = requirements.read_bytes() + sys.executable.encode() + sys.version.encode()
    key = hashlib.sha256(identity).hexdigest()[:12]
    folder = workspace.state / "venvs" / f"{requirements.stem}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").is_file():
            _make(workspace, folder, requirements)
    return folder / "bin" / "python"


def _make(workspace: Workspace, folder: Path, requirements: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    run_uv(workspace, ["venv", "--quiet", "--no-project", "--python", sys.executable, folder])
    python = folder / "bin" / "python"
    run_uv(
        workspace,
        ["pip", "sync", "--quiet", "--python", python, "--require-hashes", requirements],
    )
    (folder / "complete").touch()
