"""Terraform's machine-readable output, read into progress and diagnostics.

Format: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Progress:
    """A resource is done: `done` of `total` of this apply, in `elapsed_s` of its own."""

    done: int
    total: int
    address: str
    action: str
    elapsed_s: float


class EventReader:
    """Reads one run's lines in order."""

    def __init__(self, total: int = 0) -> None:
        """Begin a run; total: how many resources the plan changes, if it is known."""
        self.total = total
        self.done = 0
        self.errors: list[str] = []

    def read(self, line: str) -> Progress | None:
        """Take a line; return the progress that it means, if any. Errors are collected."""
        try:
            event: dict[str, Any] = json.loads(line)
        except ValueError:
            return None
        match event.get("type"):
            case "change_summary" if event["changes"]["operation"] == "plan":
                changes = event["changes"]
                self.total = changes["add"] + changes["change"] + changes["remove"]
            case "diagnostic" if event["diagnostic"]["severity"] == "error":
                self.errors.append(_text(event["diagnostic"]))
            case "apply_complete":
                self.done += 1
                hook = event["hook"]
                address, elapsed = hook["resource"]["addr"], hook.get("elapsed_seconds", 0)
                return Progress(self.done, self.total, address, hook["action"], elapsed)
        return None


def _text(diagnostic: dict[str, Any]) -> str:
    place = diagnostic.get("range", {})
    where = f"{place['filename']}:{place['start']['line']}: " if place else ""
    address = f" ({diagnostic['address']})" if diagnostic.get("address") else ""
    detail = " ".join(str(diagnostic.get("detail", "")).split())
    return f"{where}{diagnostic.get('summary', '')}{address} {detail}".strip()
