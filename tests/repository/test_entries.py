"""The thin entries in scripts/: they check their arguments and call make, no more."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ENTRIES = ("setup", "deploy", "run_local", "format")


@pytest.fixture
def checkout(tmp_path: Path, root: Path) -> Path:
    """A folder with the entries, two environments and a make that prints what it is asked."""
    (tmp_path / "scripts").mkdir()
    for name in ENTRIES:
        shutil.copy(root / "scripts" / f"{name}.sh", tmp_path / "scripts")
    for env in ("local", "dev"):
        (tmp_path / "terraform" / "envs" / env).mkdir(parents=True)
    make = tmp_path / "bin" / "make"
    make.parent.mkdir()
    make.write_text('#!/bin/sh\necho "$PWD make $* EVENTS=$EVENTS"\n')
    make.chmod(0o755)
    return tmp_path


def call(checkout: Path, name: str, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(checkout / "scripts" / f"{name}.sh"), *arguments],
        cwd=cwd,
        env={"PATH": f"{checkout / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_entry_calls_make_in_the_checkout(checkout: Path, tmp_path: Path) -> None:
    """From any folder; a file's path stays that of the caller."""
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "my events.ndjson").write_text("{}\n")
    called = {
        ("setup",): "make setup hooks EVENTS=",
        ("format",): "make format EVENTS=",
        ("deploy", "dev"): "make deploy ENV=dev EVENTS=",
        ("run_local",): "make run EVENTS=",
        ("run_local", "my events.ndjson"): f"make run EVENTS={elsewhere / 'my events.ndjson'}",
    }
    for arguments, wanted in called.items():
        done = call(checkout, *arguments, cwd=elsewhere)
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip() == f"{checkout} {wanted}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("setup", "now"), "usage: scripts/setup.sh"),
        (("format", "a.py"), "usage: scripts/format.sh"),
        (("deploy",), "one of: dev"),
        (("deploy", "production"), "no environment production to deploy; there are: dev"),
        (("deploy", "local"), "no environment local"),
        (("deploy", "../envs/dev"), "no environment"),
        (("deploy", "dev", "prod"), "usage:"),
        (("run_local", "none.ndjson"), "no file none.ndjson"),
        (("run_local", "--help"), "usage:"),
        (("run_local", "a", "b"), "usage:"),
    ],
)
def test_wrong_arguments_are_wrong_use(
    checkout: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, the usage on standard error, and make is not called."""
    done = call(checkout, *arguments, cwd=checkout)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_each_entry_is_short_and_can_be_executed(root: Path) -> None:
    """They are thin: whatever is worth more than 40 lines belongs into a package."""
    for name in ENTRIES:
        entry = root / "scripts" / f"{name}.sh"
        assert os.access(entry, os.X_OK)
        assert len(entry.read_text().splitlines()) <= 40


def test_the_entry_of_replays_hands_its_arguments_on(checkout: Path, root: Path) -> None:
    """From any folder, as they are, to the one command that holds the options."""
    shutil.copy(root / "scripts" / "replay", checkout / "scripts")
    entry = [str(checkout / "scripts" / "replay"), "--entity", "a b", "--yes"]
    without = subprocess.run(entry, capture_output=True, text=True, check=False)
    assert (without.returncode, without.stdout) == (1, "")
    assert "run scripts/setup.sh" in without.stderr
    millrace = checkout / ".venv" / "bin" / "millrace"
    millrace.parent.mkdir(parents=True)
    millrace.write_text('#!/bin/sh\nprintf "%s|" "$@"\n')
    millrace.chmod(0o755)
    done = subprocess.run(entry, cwd="/", capture_output=True, text=True, check=True)
    assert done.stdout == "replay|run|--entity|a b|--yes|"
