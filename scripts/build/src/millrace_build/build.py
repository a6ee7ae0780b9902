"""Building the zips: locked wheels, the shared runtime and the service, packed reproducibly."""

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from millrace_build.bundle import pack
from millrace_build.errors import BuildError
from millrace_build.inputs import fingerprint
from millrace_build.target import Target
from millrace_build.uv import run_uv
from millrace_build.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Artifact:
    """One service's zip; `built` is False if its inputs were unchanged."""

    service: str
    path: Path
    sha256: str
    size_bytes: int
    built: bool


def build_all(
    workspace: Workspace | None = None,
    target: Target | None = None,
    services: Sequence[str] = (),
) -> tuple[Artifact, ...]:
    """Build the zips of `services` (none: of all), skipping those whose inputs are unchanged.

    Returns: the artifacts, in the order of `services` (or sorted by name).
    Raises: BuildError: an unknown service, no uv, or an install that failed.
    """
    place = workspace or Workspace.here()
    chosen_target = target or Target()
    names = tuple(services) or place.services()
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        return tuple(pool.map(lambda name: _build(place, name, chosen_target), names))


def stale(workspace: Workspace | None = None, target: Target | None = None) -> tuple[str, ...]:
    """Return the services whose zip is missing, or is not of the sources as they are."""
    place, chosen = workspace or Workspace.here(), target or Target()
    return tuple(
        service
        for service in place.services()
        if _unchanged(
            archive := zip_path(place, service, chosen),
            archive.with_suffix(".json"),
            fingerprint(place, service, chosen),
        )
        is None
    )


def zip_path(workspace: Workspace, service: str, target: Target) -> Path:
    """Return where a service's zip for a target lies."""
    return workspace.dist / target.folder / f"{service}.zip"


def _build(workspace: Workspace, service: str, target: Target) -> Artifact:
    archive = zip_path(workspace, service, target)
    note = archive.with_suffix(".json")
    inputs = fingerprint(workspace, service, target)
    known = _unchanged(archive, note, inputs)
    if known is not None:
        return Artifact(service, archive, known, archive.stat().st_size, built=False)
    archive.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that the replacement is one rename: a reader sees the old or the new.
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=f".{service}-") as scratch:
        folder = Path(scratch) / "content"
        _install(workspace, service, target, folder)
        packed = Path(scratch) / archive.name
        pack(folder, packed)
        sha256 = _sha256(packed)
        packed.replace(archive)
    note.write_text(json.dumps({"inputs": inputs, "sha256": sha256}) + "\n", encoding="utf-8")
    return Artifact(service, archive, sha256, archive.stat().st_size, built=True)


def _install(workspace: Workspace, service: str, target: Target, folder: Path) -> None:
    requirements = workspace.service(service) / "requirements.txt"
    if not requirements.is_file():
        raise BuildError(f"{requirements} is missing: run `make lock`")
    into = ("pip", "install", "--quiet", "--python", sys.executable, "--target", folder)
    wheels_only = ("--only-binary", ":all:", "--require-hashes", "-r", requirements)
    run_uv(workspace, [*into, *target.uv_options, *wheels_only])
    # Pure Python: the same for every target. No cache: uv keys a folder's wheel by its
    # pyproject.toml, so an edited module would be left out.
    own = ("--no-cache", "--no-deps", "--no-build-isolation")
    run_uv(workspace, [*into, *own, workspace.runtime, workspace.service(service)])


def _unchanged(archive: Path, note: Path, inputs: str) -> str | None:
    """Return the zip's hash if it is what these inputs gave last time."""
    if not (archive.is_file() and note.is_file()):
        return None
    try:
        kept = json.loads(note.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return None
    sha256 = _sha256(archive)
    return sha256 if kept == {"inputs": inputs, "sha256": sha256} else None


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
