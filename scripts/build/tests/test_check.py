"""The check of the zips: it must fail for each way in which a zip can be wrong."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from millrace_build import Arch, BuildError, Target, Workspace, build_all
from millrace_build.check import check_zip


def test_a_complete_zip_passes_and_is_measured(workspace: Workspace, empty_python: Path) -> None:
    """A zip with all it needs imports under a bare Python, and its sizes are told."""
    (built,) = build_all(workspace)
    report = check_zip(workspace, "demo", Target(), empty_python)
    assert report.imported
    assert report.zipped_bytes == built.size_bytes < report.unzipped_bytes
    assert report.distributions == 3


def test_a_missing_dependency_fails(workspace: Workspace, empty_python: Path) -> None:
    """A handler that imports what its requirements leave out is found, and the module named."""
    (workspace.root / "services/demo/requirements.txt").write_text("", "utf-8")
    build_all(workspace)
    with pytest.raises(BuildError, match=r"No module named 'orjson'.*dependencies"):
        check_zip(workspace, "demo", Target(), empty_python)


def test_a_late_import_is_found(
    make_workspace: Callable[..., Workspace], empty_python: Path
) -> None:
    """A module that the handler imports only when called is imported by the check as well."""
    handler = "def handler(event, context):\n    from demo import late\n"
    workspace = make_workspace(handler=handler)
    late = workspace.root / "services/demo/src/demo/late.py"
    late.write_text("import no_such_module\n", "utf-8")
    build_all(workspace)
    with pytest.raises(BuildError, match="No module named 'no_such_module'"):
        check_zip(workspace, "demo", Target(), empty_python)


def test_the_environment_is_empty(
    make_workspace: Callable[..., Workspace], empty_python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handler that reads a setting on import fails, whatever this process has set."""
    monkeypatch.setenv("TABLE", "set here")
    handler = "import os\nTABLE = os.environ['TABLE']\ndef handler(event, context): ...\n"
    workspace = make_workspace(handler=handler)
    build_all(workspace)
    with pytest.raises(BuildError, match="KeyError: 'TABLE'"):
        check_zip(workspace, "demo", Target(), empty_python)


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ("boto3/__init__.py", "boto3 must not be inside"),
        ("millrace_testing/__init__.py", "millrace_testing must not be inside"),
        ("pytest/__init__.py", "pytest must not be inside"),
        ("left_pad-1.0.dist-info/METADATA", "left-pad is not in the service's requirements.txt"),
        ("demo/tests/test_it.py", "demo/tests/test_it.py should have been left out"),
        ("demo/__pycache__/x.pyc", "__pycache__/x.pyc should have been left out"),
    ],
)
def test_an_intruder_fails(
    workspace: Workspace, empty_python: Path, entry: str, fault: str
) -> None:
    """A package for tests, an unlocked one, or a leftover in the zip is named."""
    (built,) = build_all(workspace)
    with zipfile.ZipFile(built.path, "a") as opened:
        opened.writestr(entry, "")
    with pytest.raises(BuildError, match=fault):
        check_zip(workspace, "demo", Target(), empty_python)


def test_another_platforms_wheel_fails(workspace: Workspace) -> None:
    """A shared object that Lambda's interpreter would not load is named."""
    target = Target(Arch.X86_64)
    build_all(workspace, target)
    assert not check_zip(workspace, "demo", target, None).imported
    with zipfile.ZipFile(workspace.dist / "lambda-x86_64" / "demo.zip", "a") as opened:
        opened.writestr("orjson/orjson.cpython-311-x86_64-linux-gnu.so", "")
    with pytest.raises(BuildError, match="is not for cpython-313-x86_64-linux-gnu"):
        check_zip(workspace, "demo", target, None)


def test_a_zip_that_was_not_built_is_named(workspace: Workspace, empty_python: Path) -> None:
    """Without a zip the check says how to build it."""
    with pytest.raises(BuildError, match=r"demo\.zip is missing: run `make build`"):
        check_zip(workspace, "demo", Target(), empty_python)
