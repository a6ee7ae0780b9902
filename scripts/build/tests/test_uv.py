"""Finding uv, and the environments that it makes."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from millrace_build.errors import BuildError
from millrace_build.uv import find_uv
from millrace_build.venvs import ensure_venv
from millrace_build.workspace import Workspace


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", "utf-8")
    path.chmod(0o755)
    return path


def test_uv_is_looked_for_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, then the pinned one, then PATH; without any of them the remedy is told."""
    checkout = Workspace(tmp_path / "checkout")
    on_path = program(tmp_path / "path" / "uv")
    pinned = program(checkout.root / ".tools/bin/uv")
    named = program(tmp_path / "named" / "uv")

    monkeypatch.setenv("PATH", str(on_path.parent))
    monkeypatch.setenv("UV", str(named))
    assert find_uv(checkout) == named
    monkeypatch.delenv("UV")
    assert find_uv(checkout) == pinned
    pinned.unlink()
    assert find_uv(checkout) == on_path
    on_path.unlink()
    with pytest.raises(BuildError, match="run `make setup`"):
        find_uv(checkout)
    monkeypatch.setenv("UV", str(on_path))
    with pytest.raises(BuildError, match="is not a program"):
        find_uv(checkout)


def test_an_environment_holds_its_requirements_only(
    make_workspace: Callable[..., Workspace],
) -> None:
    """The environment has what the file locks and no more; asking again returns the same one."""
    workspace = make_workspace()
    requirements = workspace.root / "services/demo/requirements.txt"
    python = ensure_venv(workspace, requirements)
    listing = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    found = subprocess.run(
        [python, "-I", "-c", listing], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == ["orjson"]
    assert ensure_venv(workspace, requirements) == python


def test_a_half_made_environment_is_made_anew(make_workspace: Callable[..., Workspace]) -> None:
    """An environment whose making was cut short is not taken for a whole one."""
    workspace = make_workspace()
    requirements = workspace.root / "services/demo/requirements.txt"
    python = ensure_venv(workspace, requirements)
    folder = python.parents[1]
    (folder / "complete").unlink()
    (folder / "half").touch()
    assert ensure_venv(workspace, requirements) == python
    assert not (folder / "half").exists()
