"""A small workspace of its own for each test: one service, the shared runtime, real locks."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from millrace_build.uv import find_uv
from millrace_build.workspace import Workspace

_REPOSITORY = Workspace.here()

_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "1.0"
requires-python = ">=3.11"
dependencies = {dependencies}

[tool.hatch.build.targets.wheel]
packages = ["src/{package}"]
"""

_HANDLER = """\
import orjson
from millrace import answer

def handler(event, context):
    return orjson.dumps(answer())
"""


def write_project(folder: Path, name: str, package: str, *, dependencies: str = "[]") -> Path:
    source = folder / "src" / package
    source.mkdir(parents=True)
    project = _PROJECT.format(name=name, package=package, dependencies=dependencies)
    (folder / "pyproject.toml").write_text(project, "utf-8")
    (source / "__init__.py").write_text("", "utf-8")
    return source


def orjson_lock() -> str:
    """Return the repository's own pin of orjson: one compiled wheel, surely in uv's cache."""
    text = (_REPOSITORY.root / "services/ingest/requirements.txt").read_text("utf-8")
    start = text.index("orjson==")
    lines = text[start:].splitlines(keepends=True)
    hashes = [line for line in lines[1:] if line.startswith("    --hash")]
    end = next(i for i, line in enumerate(lines) if not line.rstrip().endswith("\\"))
    return "".join([lines[0], *hashes[:end]])


@pytest.fixture
def make_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Workspace]:
    monkeypatch.setenv("UV", str(find_uv(_REPOSITORY)))

    def make(name: str = "workspace", handler: str = _HANDLER) -> Workspace:
        root = tmp_path / name
        runtime = write_project(root / "shared/runtime", "millrace", "millrace")
        (runtime / "__init__.py").write_text("def answer():\n    return 42\n", "utf-8")
        service = write_project(
            root / "services/demo", "millrace-demo", "demo", dependencies='["millrace", "orjson"]'
        )
        (service / "handler.py").write_text(handler, "utf-8")
        (root / "services/demo/requirements.txt").write_text(orjson_lock(), "utf-8")
        (root / "requirements").mkdir()
        return Workspace(root)

    return make


@pytest.fixture
def workspace(make_workspace: Callable[..., Workspace]) -> Workspace:
    return make_workspace()


@pytest.fixture(scope="session")
def empty_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a Python with nothing but its standard library: what a zip must not lean on."""
    folder = tmp_path_factory.mktemp("bare")
    command = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(command, check=True, env=dict(os.environ))
    return folder / "bin" / "python"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Return an environment whose PATH holds just the named programs and the given fakes."""

    def make(*programs: str, **fakes: str) -> dict[str, str]:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        for program in programs:
            found = shutil.which(program)
            if found is None:
                pytest.fail(f"{program} is needed to run this test")
            (folder / program).symlink_to(found)
        for name, script in fakes.items():
            fake = folder / name.replace("_", ".")
            fake.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            fake.chmod(0o755)
        return {"PATH": str(folder), "HOME": str(tmp_path)}

    return make


@pytest.fixture
def python_script() -> str:
    """Return the body of a script that stands for this interpreter under another name."""
    return f'exec "{sys.executable}" "$@"'
