"""The zips: the same bytes from the same inputs, and only what belongs inside."""

import zipfile
from collections.abc import Callable

import pytest

from millrace_build import Arch, BuildError, Target, Workspace, build_all
from millrace_build.build import stale


def test_two_checkouts_give_the_same_bytes(make_workspace: Callable[..., Workspace]) -> None:
    """The same inputs in two folders give zips with the same hash."""
    (first,) = build_all(make_workspace("one"))
    (second,) = build_all(make_workspace("another/place"))
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256


def test_a_zip_holds_service_runtime_and_wheels_and_nothing_else(workspace: Workspace) -> None:
    """The service, the runtime and the locked wheels are inside; traces of installing are not."""
    tests = workspace.root / "services/demo/src/demo/tests"
    tests.mkdir()
    (tests / "test_it.py").write_text("", "utf-8")
    (built,) = build_all(workspace)
    with zipfile.ZipFile(built.path) as opened:
        entries = opened.infolist()
    names = [entry.filename for entry in entries]
    assert {"demo/handler.py", "millrace/__init__.py", "orjson/__init__.py"} <= set(names)
    leftovers = ("RECORD", "direct_url.json", "uv_", "bin/", "__pycache__", "tests/", "INSTALLER")
    assert not [name for name in names if any(leftover in name for leftover in leftovers)]
    assert names == sorted(names)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.external_attr >> 16 for entry in entries} == {0o100644}


def test_unchanged_inputs_are_not_built_again(workspace: Workspace) -> None:
    """A second build does nothing; a changed module or a damaged zip is stale and built anew."""
    assert stale(workspace) == ("demo",)
    (first,) = build_all(workspace)
    assert stale(workspace) == ()
    (second,) = build_all(workspace)
    assert (first.built, second.built) == (True, False)
    assert first.sha256 == second.sha256

    module = workspace.root / "shared/runtime/src/millrace/__init__.py"
    module.write_text("def answer():\n    return 43\n", "utf-8")
    assert stale(workspace) == ("demo",)
    (changed,) = build_all(workspace)
    assert changed.built
    with zipfile.ZipFile(changed.path) as opened:
        assert b"43" in opened.read("millrace/__init__.py")

    changed.path.write_bytes(b"")
    (repaired,) = build_all(workspace)
    assert (repaired.built, repaired.sha256) == (True, changed.sha256)


def test_lambda_zips_hold_lambdas_wheels(workspace: Workspace) -> None:
    """A zip for arm64 holds that platform's shared objects, in a folder of its own."""
    (built,) = build_all(workspace, Target(Arch.ARM64))
    assert built.path == workspace.dist / "lambda-arm64" / "demo.zip"
    with zipfile.ZipFile(built.path) as opened:
        objects = [name for name in opened.namelist() if name.endswith(".so")]
    assert [name.endswith("cpython-313-aarch64-linux-gnu.so") for name in objects] == [True]


def test_a_wheel_with_another_hash_is_refused(workspace: Workspace) -> None:
    """A download that does not match its locked hash fails the build and leaves no zip."""
    requirements = workspace.root / "services/demo/requirements.txt"
    version = requirements.read_text("utf-8").split()[0]
    requirements.write_text(f"{version} --hash=sha256:{'0' * 64}\n", "utf-8")
    with pytest.raises(BuildError, match=r"(?i)hash"):
        build_all(workspace)
    assert not list(workspace.dist.glob("*.zip"))


def test_an_unknown_service_is_named_with_the_known_ones(workspace: Workspace) -> None:
    """A misspelt service fails with the list of those there are."""
    with pytest.raises(BuildError, match="no service 'dmeo': choose one of demo"):
        build_all(workspace, services=["dmeo"])
