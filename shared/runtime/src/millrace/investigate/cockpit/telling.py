"""What the cockpit found, for programs: the command and the HTTP API tell the same."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.investigate.cockpit.commands import Commands
from millrace.investigate.cockpit.findings import Check, Finding, ranked
from millrace.times import format_ms


@dataclass(frozen=True, slots=True)
class Inspection:
    """One look at everything."""

    since: datetime
    checks: Sequence[Check]
    complete: bool
    """False: the budget did not suffice for the whole window."""

    def as_json(self, commands: Commands) -> dict[str, Any]:
        """Return the inspection for JSON, its steps as commands."""
        return {
            "window": {"since": format_ms(self.since), "complete": self.complete},
            "findings": [
                {"check": name} | _finding_json(finding, commands)
                for name, finding in ranked(self.checks)
            ],
            "checks": [
                {"check": each.name, "looked_at": each.looked_at, "findings": len(each.findings)}
                for each in self.checks
            ],
        }


def _finding_json(finding: Finding, commands: Commands) -> dict[str, Any]:
    return {
        "severity": finding.severity.name.lower(),
        "what": finding.what,
        "number": finding.number,
        "since": format_ms(finding.since) if finding.since else None,
        "why": finding.why,
        "service": finding.service or None,
        "look": commands.of(finding.look),
        "fix": commands.of(finding.fix) if finding.fix else None,
    }
