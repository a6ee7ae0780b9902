"""A machine that lacks something is told what, and how to get it, in one line."""

import subprocess
from collections.abc import Callable

import pytest

from millrace_build.workspace import Workspace

_ROOT = Workspace.here().root
_SHELL = ("bash", "sh", "env", "sed")
_MODERN_TERRAFORM = "echo 'Terraform v1.13.0'"
_OLD_PYTHON = """
case "$1" in
  --version) echo "Python 3.9.18" ;;
  *) exit 1 ;;
esac
"""

Machine = Callable[..., dict[str, str]]


def preflight(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(_ROOT / "scripts/build/preflight.sh")],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def said(outcome: subprocess.CompletedProcess[str]) -> str:
    """Return the one line of a failure."""
    assert outcome.returncode == 1
    assert outcome.stdout == ""
    (line,) = outcome.stderr.splitlines()
    return line


def test_a_complete_machine_passes(machine: Machine, python_script: str) -> None:
    """With Python and Terraform there, the Python to use is printed."""
    outcome = preflight(machine(*_SHELL, python3=python_script, terraform=_MODERN_TERRAFORM))
    assert outcome.returncode == 0, outcome.stderr
    assert outcome.stdout.startswith("/")


def test_missing_terraform_is_named(machine: Machine, python_script: str) -> None:
    """Without Terraform on PATH, the line says where to get it."""
    line = said(preflight(machine(*_SHELL, python3=python_script)))
    assert line.startswith("error: Terraform 1.11 or newer")
    assert "developer.hashicorp.com/terraform/install" in line


@pytest.mark.parametrize("version", ["1.5.7", "1.10.9", "2.0.0"])
def test_another_terraform_is_named(machine: Machine, python_script: str, version: str) -> None:
    """A Terraform that the modules do not admit is refused, with its version."""
    fake = f"echo 'Terraform v{version}'"
    line = said(preflight(machine(*_SHELL, python3=python_script, terraform=fake)))
    assert f"the one on PATH is {version}" in line


def test_an_old_python_is_named(machine: Machine) -> None:
    """A Python that is too old is refused, with its version and how to get another."""
    line = said(preflight(machine(*_SHELL, python3=_OLD_PYTHON, terraform=_MODERN_TERRAFORM)))
    assert line.startswith("error: Python 3.11 or newer with its venv module is needed")
    assert "python3 is Python 3.9.18" in line
    assert "https://www.python.org/downloads/" in line


def test_missing_python_is_named(machine: Machine) -> None:
    """Without any Python the line says so."""
    line = said(preflight(machine(*_SHELL, terraform=_MODERN_TERRAFORM)))
    assert "none was found" in line


def test_a_broken_newer_python_is_passed_over(machine: Machine, python_script: str) -> None:
    """A shim that names a newer Python but does not run is no obstacle."""
    environment = machine(
        *_SHELL, python3_13="exit 127", python3=python_script, terraform=_MODERN_TERRAFORM
    )
    assert preflight(environment).returncode == 0


def test_make_stops_before_anything_is_done(machine: Machine, python_script: str) -> None:
    """`make` passes the line and a failure on, and makes nothing."""
    environment = machine(*_SHELL, "make", "awk", python3=python_script)
    outcome = subprocess.run(
        ["make", "-C", str(_ROOT), "preflight"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert outcome.returncode != 0
    assert outcome.stderr.startswith("error: Terraform 1.11 or newer")
