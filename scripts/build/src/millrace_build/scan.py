"""Scanning the Terraform code for known mistakes with checkov, offline, in its own environment."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace_build.errors import BuildError
from millrace_build.venvs import ensure_venv
from millrace_build.workspace import Workspace

# Tests hold what is refused, and a syntax that checkov does not read. Nothing is downloaded: no
# guidelines, and modules are all in the tree.
_OPTIONS = (
    "--framework", "terraform", "--skip-path", "tests", "--output", "json",
    "--skip-download", "--download-external-modules", "false",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scan:
    """How many checks passed, and how many the code says not to apply to it."""

    passed: int
    skipped: int


def scan_terraform(workspace: Workspace) -> Scan:
    """Scan all Terraform code; the first call installs checkov from its lock.

    Raises: BuildError: a check failed, one was skipped without a reason, or not all could be read.
    """
    python = ensure_venv(workspace, workspace.root / "requirements" / "checkov.txt")
    return judge(_run(python, workspace.root / "terraform"))


def judge(report: Mapping[str, Any]) -> Scan:
    """Return the counts of a report. Raises: BuildError: as `scan_terraform` does."""
    summary = report.get("summary", report)  # an empty tree has no results around it
    if faults := sorted(set(_faults(report.get("results", {})))):
        raise BuildError("checkov: " + "\n".join(faults))
    if summary["parsing_errors"] or not summary["passed"]:
        raise BuildError(
            f"checkov read the code only in part: {summary['passed']} checks passed, "
            f"{summary['parsing_errors']} files cannot be read"
        )
    return Scan(summary["passed"], summary["skipped"])


def _faults(results: Mapping[str, Any]) -> Iterator[str]:
    for check in results.get("failed_checks", []):
        place = f"terraform{check['file_path']}:{check['file_line_range'][0]}"
        yield (
            f"{place}: {check['resource']}: {check['check_name']} ({check['check_id']}): correct "
            f"it, or say in the block why not: #checkov:skip={check['check_id']}:REASON"
        )
    for check in results.get("skipped_checks", []):
        reason = check["check_result"].get("suppress_comment", "")
        if not reason or reason == "No comment provided":
            yield f"terraform{check['file_path']}: {check['check_id']} is skipped without a reason"


def _run(python: Path, code: Path) -> dict[str, Any]:
    command = [str(python), "-m", "checkov.main", "--directory", str(code), *_OPTIONS]
    environment = {**os.environ, "LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    try:
        report = json.loads(done.stdout)
    except ValueError as err:
        words = (done.stderr or done.stdout).strip()[-2000:]
        raise BuildError(f"checkov failed (exit code {done.returncode}): {words}") from err
    if not isinstance(report, dict):
        raise BuildError("checkov answered with several reports, where one was asked for")
    return report
