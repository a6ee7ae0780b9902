"""Checking finished zips: what is inside, how large it is, and that the handler imports."""

import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from millrace_build.build import zip_path
from millrace_build.bundle import is_shipped
from millrace_build.errors import BuildError
from millrace_build.lock import locked_names, normalised
from millrace_build.target import LAMBDA_PYTHON, Target
from millrace_build.workspace import Workspace

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_MAX_ZIPPED_BYTES = 50 * 1000 * 1000
_MAX_UNZIPPED_BYTES = 250 * 1000 * 1000

# Lambda brings boto3; the others are for tests and tools. Distributions are checked against
# the lock as well: this list is for what was copied in without its metadata.
_NEVER_INSIDE = frozenset({
    "_pytest", "boto3", "botocore", "hypothesis", "millrace_build", "millrace_cli",
    "millrace_local", "millrace_testing", "moto", "mypy", "pytest", "s3transfer",
})  # fmt: skip

# Run by the bare runtime's Python, isolated (-I) and with an empty environment: the zip first,
# as in Lambda, and then every module of ours, because a handler may import late.
_IMPORT_PROBE = """
import importlib, pkgutil, sys
folder, service = sys.argv[1:]
sys.path.insert(0, folder)
handler = importlib.import_module(f"{service}.handler").handler
if not callable(handler):
    sys.exit(f"{service}.handler.handler cannot be called")
for name in (service, "millrace"):
    package = importlib.import_module(name)
    if not package.__file__.startswith(folder):
        sys.exit(f"{name} came from {package.__file__}, not from the zip")
    for module in pkgutil.walk_packages(package.__path__, f"{name}."):
        if not module.name.endswith(".__main__"):
            importlib.import_module(module.name)
"""


@dataclass(frozen=True, slots=True)
class ZipReport:
    """The measures of a zip that passed."""

    service: str
    zipped_bytes: int
    unzipped_bytes: int
    distributions: int
    imported: bool


def check_zip(
    workspace: Workspace, service: str, target: Target, runtime_python: Path | None
) -> ZipReport:
    """Check one built zip; import its handler under `runtime_python` (None: contents only).

    Raises: BuildError: every fault found in the contents, or why the import failed.
    """
    archive = zip_path(workspace, service, target)
    if not archive.is_file():
        raise BuildError(f"{archive} is missing: run `make build`")
    with zipfile.ZipFile(archive) as opened:
        entries = opened.infolist()
        faults = list(_content_faults(workspace, service, target, entries))
        if faults:
            raise BuildError(f"{archive}: " + "; ".join(faults))
        if runtime_python is not None:
            _import_handler(opened, service, runtime_python)
    return ZipReport(
        service=service,
        zipped_bytes=archive.stat().st_size,
        unzipped_bytes=sum(entry.file_size for entry in entries),
        distributions=len(_distributions(entries)),
        imported=runtime_python is not None,
    )


def _content_faults(
    workspace: Workspace, service: str, target: Target, entries: list[zipfile.ZipInfo]
) -> Iterator[str]:
    names = [PurePosixPath(entry.filename) for entry in entries]
    inside = {name.parts[0].removesuffix(".py") for name in names}
    for intruder in sorted(inside & _NEVER_INSIDE):
        yield f"{intruder} must not be inside"
    locked = locked_names(workspace.service(service) / "requirements.txt")
    expected = locked | {"millrace", normalised(f"millrace-{service}")}
    for stranger in sorted(_distributions(entries) - expected):
        yield f"{stranger} is not in the service's requirements.txt"
    for leftover in sorted(str(name) for name in names if not is_shipped(name)):
        yield f"{leftover} should have been left out"
    if not target.is_local:
        yield from _foreign_objects(target, names)
    if sum(entry.compress_size for entry in entries) > _MAX_ZIPPED_BYTES:
        yield f"larger than Lambda's {_MAX_ZIPPED_BYTES} bytes zipped"
    if sum(entry.file_size for entry in entries) > _MAX_UNZIPPED_BYTES:
        yield f"larger than Lambda's {_MAX_UNZIPPED_BYTES} bytes unzipped"


def _distributions(entries: list[zipfile.ZipInfo]) -> frozenset[str]:
    tops = {PurePosixPath(entry.filename).parts[0] for entry in entries}
    return frozenset(
        normalised(top.removesuffix(".dist-info").rpartition("-")[0])
        for top in tops
        if top.endswith(".dist-info")
    )


def _foreign_objects(target: Target, names: list[PurePosixPath]) -> Iterator[str]:
    """Find shared objects that Lambda's interpreter would not load."""
    if target.arch is None:
        return
    tag = f"cpython-{LAMBDA_PYTHON.replace('.', '')}-{target.arch.machine}-linux-gnu"
    loadable = re.compile(rf"\.(?:{re.escape(tag)}|abi3)\.so$")
    for name in names:
        if name.suffix == ".so" and not loadable.search(name.name):
            yield f"{name} is not for {tag}"


def _import_handler(opened: zipfile.ZipFile, service: str, python: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = str(Path(scratch).resolve())
        opened.extractall(folder)
        outcome = subprocess.run(
            [python, "-I", "-B", "-c", _IMPORT_PROBE, folder, service],
            env={}, cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    if outcome.returncode != 0:
        reason = outcome.stderr.strip().splitlines()
        raise BuildError(
            f"{service}.handler does not import from its zip with only boto3 beside it: "
            f"{reason[-1] if reason else f'exit code {outcome.returncode}'} "
            f"(add what is missing to the package's dependencies, then `make lock build`)"
        )
