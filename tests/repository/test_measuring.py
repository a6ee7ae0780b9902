"""What is measured: a line counts as covered only where a test of its own package has run it."""

import subprocess
import sys
from pathlib import Path

import pytest

_CODE = "def answer():\n    return 42\n"
_TEST = (
    "import pytest\nfrom code_under_test import answer\n\n{mark}\ndef test_it(): assert answer()\n"
)


@pytest.mark.parametrize(
    ("folder", "mark", "covered"),
    [
        ("services", "", True),
        ("shared", "", True),
        ("scripts", "", False),
        ("services", "@pytest.mark.exhaustive", False),
    ],
)
def test_what_counts_as_covered(
    tmp_path: Path, root: Path, folder: str, mark: str, *, covered: bool
) -> None:
    """Tests beside the code count, others and long explorations do not; all of them run."""
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["measuring"]\n')
    (tmp_path / "code_under_test.py").write_text(_CODE)
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "test_one.py").write_text(_TEST.format(mark=mark))
    settings = f"[pytest]\npythonpath = . {root / 'tests/support'}\nmarkers = exhaustive\n"
    (tmp_path / "pytest.ini").write_text(settings)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--cov=code_under_test"]
    command += ["--cov-fail-under=100", folder]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "1 passed" in ran.stdout, ran.stdout
    assert (ran.returncode == 0) == covered, ran.stdout
