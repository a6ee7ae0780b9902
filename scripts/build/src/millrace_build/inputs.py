"""The fingerprint of everything that decides a zip's bytes."""

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from millrace_build.target import Target
from millrace_build.workspace import Workspace

_NOT_INPUTS = frozenset({"__pycache__", "tests"})


def fingerprint(workspace: Workspace, service: str, target: Target) -> str:
    """Return a hash over the sources, the locked requirements, the target and this builder."""
    digest = hashlib.sha256()
    digest.update(f"{target.identity}\0hatchling {version('hatchling')}\0".encode())
    for root in (workspace.service(service), workspace.runtime, Path(__file__).parent):
        for path in sorted(_files(root)):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
            digest.update(f"{path.relative_to(root).as_posix()}\0{content}\0".encode())
        digest.update(b"\0")
    return digest.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for path in root.rglob("*"):
        if path.is_file() and _NOT_INPUTS.isdisjoint(path.relative_to(root).parts):
            yield path
