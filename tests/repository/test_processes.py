"""A run in several processes: what holds for one holds for all of them together."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

_CONFTEST = """
import os
import pytest
pytest_plugins = ["categories", "figures", "spreading"]
@pytest.fixture
def deployed(): pass
@pytest.fixture
def pipeline(deployed): pass
@pytest.fixture
def process(): return os.getpid()
"""
_TESTS = """
import pytest
@pytest.mark.parametrize("turn", range(4))
def test_stack(pipeline, process, figures, turn): figures(f"stack in {process}")
@pytest.mark.parametrize("turn", range(4))
def test_file(process, figures, turn): figures(f"FILE in {process}")
@pytest.mark.parsing
@pytest.mark.parametrize("turn", range(4))
def test_parsing(turn): pass
"""
_NAMES = ("one", "two", "three", "four", "five", "six")


@pytest.fixture
def suite(tmp_path: Path, root: Path) -> Path:
    """A small suite with the plugins of this one."""
    (tmp_path / "conftest.py").write_text(_CONFTEST)
    (tmp_path / "tests").mkdir()
    for name in _NAMES:
        (tmp_path / f"tests/test_{name}.py").write_text(_TESTS.replace("FILE", name))
    support = root / "tests/support"
    settings = f"[pytest]\ntestpaths = tests\npythonpath = {support}\nmarkers = parsing\n"
    (tmp_path / "pytest.ini").write_text(settings)
    return tmp_path


def run(suite: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=suite, capture_output=True, text=True, check=False)


def test_the_stack_and_each_file_stay_in_one_process(suite: Path) -> None:
    """Tests of the deployed stack share one process, those of a file another, and both are used."""
    ran = run(suite, "-n", "2", "--dist", "loadfile", "tests")
    assert ran.returncode == 0, ran.stdout
    used: dict[str, set[str]] = {}
    for what, process in re.findall(r"^  (\w+) in (\d+)$", ran.stdout, re.MULTILINE):
        used.setdefault(what, set()).add(process)
    assert used.keys() == {"stack", *_NAMES}
    assert {len(processes) for processes in used.values()} == {1}
    assert len(set.union(*used.values())) == 2
    assert f"tests by category: {len(_NAMES)} parsing, 0 validation" in ran.stdout


def test_figures_end_a_run_in_one_process(suite: Path) -> None:
    """What a test measured stands below its name; a part of a suite may be short of a category."""
    ran = run(suite, "tests/test_one.py")
    assert ran.returncode == 0, ran.stdout
    assert re.search(
        r"^=+ figures =+\n+test_stack\[0\]\n  stack in \d+\n", ran.stdout, re.MULTILINE
    )


@pytest.mark.parametrize("processes", [(), ("-n", "2", "--dist", "loadfile")])
def test_a_suite_that_is_short_is_refused(suite: Path, processes: tuple[str, ...]) -> None:
    """A whole suite with too few tests of a category fails and names it."""
    ran = run(suite, *processes)
    assert ran.returncode not in (0, 5), ran.stdout
    assert "6 tests are marked parsing, 8 are the least" in ran.stdout + ran.stderr
    assert " passed" not in ran.stdout
