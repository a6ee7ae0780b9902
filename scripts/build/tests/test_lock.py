"""Locking: drift is found, names of hosts are refused, what is pinned stays."""

import zipfile
from collections.abc import Callable

import pytest

from millrace_build import BuildError, Workspace
from millrace_build.lock import check_lock, lock, locked_names


@pytest.fixture
def lockable(make_workspace: Callable[..., Workspace]) -> Workspace:
    workspace = make_workspace()
    (workspace.root / "pyproject.toml").write_text(
        '[project]\nname = "all"\nversion = "1"\nrequires-python = ">=3.11"\n\n'
        '[dependency-groups]\ndev = ["iniconfig"]\n\n'
        '[tool.uv.workspace]\nmembers = ["shared/*", "services/*"]\n\n'
        "[tool.uv.sources]\nmillrace = { workspace = true }\n",
        "utf-8",
    )
    (workspace.root / "requirements/tool.in").write_text("iniconfig==2.1.0\n", "utf-8")
    return workspace


def test_a_fresh_lock_is_in_step_and_complete(lockable: Workspace) -> None:
    """Locking writes hashed pins of everything but our own packages, and the check then passes."""
    changed = lock(lockable)
    assert {str(path) for path in changed} >= {"requirements/dev.txt", "requirements/tool.txt"}
    assert locked_names(lockable.root / "requirements/dev.txt") == {"iniconfig", "orjson"}
    assert locked_names(lockable.root / "services/demo/requirements.txt") == {"orjson"}
    assert "--hash=sha256:" in (lockable.root / "requirements/tool.txt").read_text("utf-8")
    check_lock(lockable)
    assert lock(lockable) == ()


def test_a_new_dependency_is_drift(lockable: Workspace) -> None:
    """A dependency that was added without locking fails the check, which names the file."""
    lock(lockable)
    project = lockable.root / "services/demo/pyproject.toml"
    text = project.read_text("utf-8")
    project.write_text(text.replace('"orjson"]', '"orjson", "iniconfig"]'), "utf-8")
    with pytest.raises(BuildError, match=r"services/demo/requirements\.txt: run `make lock`"):
        check_lock(lockable)


def test_an_edited_lock_is_drift(lockable: Workspace) -> None:
    """A pin without its source, added by hand, fails the check."""
    lock(lockable)
    locked = lockable.root / "requirements/tool.txt"
    locked.write_text(locked.read_text("utf-8") + "\n# by hand\n", "utf-8")
    with pytest.raises(BuildError, match=r"requirements/tool\.txt"):
        check_lock(lockable)


def test_an_older_pin_is_no_drift_until_upgraded(lockable: Workspace) -> None:
    """A pin that a newer release has overtaken passes the check, and moves when it is asked to."""
    source = lockable.root / "requirements/tool.in"
    lock(lockable)
    source.write_text("iniconfig>=2\n", "utf-8")
    check_lock(lockable)
    locked = lockable.root / "requirements/tool.txt"
    assert "iniconfig==2.1.0" in locked.read_text("utf-8")
    lock(lockable, upgrade=["iniconfig"])
    assert "iniconfig==2.1.0" not in locked.read_text("utf-8")


def test_a_source_that_names_an_address_is_refused(lockable: Workspace) -> None:
    """A requirement by address resolves, but would write the address into the lock: refused."""
    wheel = lockable.root / "local-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as opened:
        metadata = "Metadata-Version: 2.1\nName: local\nVersion: 1.0\n"
        opened.writestr("local-1.0.dist-info/METADATA", metadata)
        opened.writestr("local-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        opened.writestr("local-1.0.dist-info/RECORD", "")
    (lockable.root / "requirements/tool.in").write_text(f"local @ {wheel.as_uri()}\n", "utf-8")
    with pytest.raises(BuildError, match=r"requirements/tool\.txt would name a host"):
        lock(lockable)
