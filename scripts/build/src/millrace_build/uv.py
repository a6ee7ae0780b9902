"""Finding and running uv."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from millrace_build.errors import BuildError
from millrace_build.workspace import Workspace


def find_uv(workspace: Workspace) -> Path:
    """Return uv: `$UV`, else the pinned one that `make setup` installs, else the one on PATH.

    Raises: BuildError: none of them is there.
    """
    named = os.environ.get("UV")
    if named:
        found = shutil.which(named)
        if found is None:
            raise BuildError(f"UV={named} is not a program: unset UV, or point it at uv")
        return Path(found)
    pinned = workspace.root / ".tools" / "bin" / "uv"
    if pinned.is_file():
        return pinned
    on_path = shutil.which("uv")
    if on_path is None:
        raise BuildError("uv is not installed: run `make setup`, or set UV to its path")
    return Path(on_path)


def run_uv(workspace: Workspace, arguments: Sequence[str | Path]) -> None:
    """Run uv in the root folder.

    Raises: BuildError: it failed; the message ends with what it printed.
    """
    command = [str(find_uv(workspace)), *map(str, arguments)]
    # Downloads of interpreters are off: what runs is what the machine has, never a surprise.
    # Copies, not links: what is installed here must not share files with uv's cache.
    environment = {
        **os.environ,
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_LINK_MODE": "copy",
        "UV_NO_PROGRESS": "1",
    }
    outcome = subprocess.run(
        command, cwd=workspace.root, env=environment, capture_output=True, text=True, check=False
    )
    if outcome.returncode != 0:
        verb = " ".join(command[1:3])
        raise BuildError(f"uv {verb} failed:\n{outcome.stderr.strip() or outcome.stdout.strip()}")
