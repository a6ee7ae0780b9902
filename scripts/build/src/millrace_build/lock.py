"""Compiling the hashed requirements files, and telling when one has drifted from its source."""

import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from millrace_build.errors import BuildError
from millrace_build.uv import run_uv
from millrace_build.workspace import Workspace

OLDEST_PYTHON = "3.11"
_COMPILE = (
    "pip", "compile", "--quiet", "--universal", "--generate-hashes", "--no-header",
    "--no-annotate", "--python-version", OLDEST_PYTHON,
)  # fmt: skip
_DEV = Path("requirements/dev.txt")
_REQUIREMENT = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Lock:
    """One locked file and what it is compiled from; all paths but `output` are absolute."""

    output: Path
    sources: tuple[str | Path, ...]
    follows_dev: bool = False


def lock(workspace: Workspace, upgrade: Sequence[str] = ()) -> tuple[Path, ...]:
    """Compile every requirements file in place and return those that changed.

    What a file already pins stays as long as it satisfies the sources; the packages named in
    `upgrade` move to their newest admitted release.
    Raises: BuildError: the sources cannot be resolved, or the result names a host.
    """
    changed = []
    with tempfile.TemporaryDirectory() as scratch:
        for relative in _compile_all(workspace, Path(scratch), upgrade):
            if _differs(workspace, relative, Path(scratch)):
                shutil.copyfile(Path(scratch) / relative, workspace.root / relative)
                changed.append(relative)
    return tuple(changed)


def check_lock(workspace: Workspace) -> None:
    """Check that every requirements file is what its sources give.

    The existing pins are preferred, so a new release upstream is no drift.
    Raises: BuildError: a file is missing or differs; the message names it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        drifted = [
            str(relative)
            for relative in _compile_all(workspace, Path(scratch))
            if _differs(workspace, relative, Path(scratch))
        ]
    if drifted:
        raise BuildError(f"out of step with their sources: {', '.join(drifted)}: run `make lock`")


def locked_names(requirements: Path) -> frozenset[str]:
    """Return the normalised names that a locked file pins."""
    return frozenset(
        normalised(name) for name in _REQUIREMENT.findall(requirements.read_text(encoding="utf-8"))
    )


def normalised(name: str) -> str:
    """Return a distribution's name in the form in which names are compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _locks(workspace: Workspace) -> Iterator[_Lock]:
    group = ("--group", f"{workspace.root / 'pyproject.toml'}:dev")
    yield _Lock(_DEV, (*group, *workspace.projects()))
    for name in workspace.services():
        # What a zip holds is what the tests ran with.
        service = workspace.service(name).relative_to(workspace.root)
        source = workspace.root / service / "pyproject.toml"
        yield _Lock(service / "requirements.txt", (source,), follows_dev=True)
    for source in sorted(workspace.root.glob("requirements/*.in")):
        yield _Lock(Path("requirements", f"{source.stem}.txt"), (source,))


def _compile_all(
    workspace: Workspace, scratch: Path, upgrade: Sequence[str] = ()
) -> Iterator[Path]:
    """Compile each file below `scratch` and yield its path relative to the root."""
    own = [option for name in workspace.package_names() for option in ("--no-emit-package", name)]
    newest = [option for name in upgrade for option in ("--upgrade-package", name)]
    for item in _locks(workspace):
        output = scratch / item.output
        output.parent.mkdir(parents=True, exist_ok=True)
        existing = workspace.root / item.output
        if existing.is_file():
            shutil.copyfile(existing, output)
        constraints = ("--constraints", scratch / _DEV) if item.follows_dev else ()
        run_uv(workspace, [*_COMPILE, *own, *newest, *constraints, *item.sources, "-o", output])
        if "://" in output.read_text(encoding="utf-8"):
            raise BuildError(f"{item.output} would name a host: remove URLs from its sources")
        yield item.output


def _differs(workspace: Workspace, relative: Path, scratch: Path) -> bool:
    existing = workspace.root / relative
    return not existing.is_file() or existing.read_bytes() != (scratch / relative).read_bytes()
