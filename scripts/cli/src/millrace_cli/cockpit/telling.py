"""What the cockpit saw, for programs; and its steps as commands to copy."""

import shlex
from dataclasses import dataclass
from typing import Any

from millrace.investigate.cockpit.findings import Finding, Step, Tool, ranked
from millrace.times import format_ms
from millrace_cli.cockpit.reading import View
from millrace_cli.environment import DEFAULT_ENGINE, LOCAL, Environment

_NEED_A_REASON = frozenset(
    {("dlq", "redrive"), ("failures", "repair"), ("failures", "abandon"), ("replay", "resume")}
)


@dataclass(frozen=True, slots=True)
class Commands:
    """Writes steps as commands for the deployment that was asked about."""

    environment: Environment
    engine: str = DEFAULT_ENGINE
    env: str | None = None
    outputs_file: str | None = None

    def of(self, step: Step) -> str:
        """Return one line for a shell; those of AWS's CLI set its variables first."""
        if step.tool is Tool.MILLRACE:
            return shlex.join(["millrace", *step.words, *self._reason(step), *self._where()])
        if step.tool is Tool.DEPLOY:
            return self._deploy()
        reach = f'eval "$({shlex.join(["millrace", "env", *self._where()])})" && '
        return f"{reach}{self._aws(step)}"

    def _aws(self, step: Step) -> str:
        (subject,) = step.words
        if step.tool is Tool.MAPPING_ON:
            return f"aws lambda update-event-source-mapping --enabled --uuid {shlex.quote(subject)}"
        if step.tool is Tool.SCHEDULE_ON:
            return f"aws events enable-rule --name {shlex.quote(subject)}"
        named = self.environment.outputs.functions.get(
            subject, f"{self.environment.outputs.name_prefix}-{subject}"
        )
        function = shlex.quote(named)
        if step.tool is Tool.CONCURRENCY:
            return f"aws lambda delete-function-concurrency --function-name {function}"
        return (
            f"aws logs filter-log-events --log-group-name /aws/lambda/{function} "
            "--filter-pattern ERROR --start-time $(( ($(date +%s) - 3600) * 1000 )) "
            "--query 'events[-5:].message' --output text"
        )

    def _deploy(self) -> str:
        if self.environment.endpoint is not None:
            named = [] if self.engine == DEFAULT_ENGINE else ["--name", self.engine]
            return shlex.join([".venv/bin/python", "-m", "millrace_local", "repair", *named])
        name, _, prefix = (self.env or "").partition("/")
        if not name or name == LOCAL:
            return "terraform apply"
        return shlex.join(["make", "deploy", f"ENV={name}", *([f"PREFIX={prefix}"] * bool(prefix))])

    def _reason(self, step: Step) -> list[str]:
        needed = self.environment.endpoint is None and step.words[:2] in _NEED_A_REASON
        return ["--reason", "found by status"] if needed else []

    def _where(self) -> list[str]:
        if self.env not in {None, LOCAL}:
            return ["--env", str(self.env)]
        if self.outputs_file is not None:
            return ["--outputs", self.outputs_file]
        return [] if self.engine == DEFAULT_ENGINE else ["--engine", self.engine]


def view_fields(view: View, commands: Commands) -> dict[str, Any]:
    """Return the view for JSON; what the status alone says keeps its names."""
    return view.status.as_dict() | {
        "window": {"since": format_ms(view.since), "complete": view.complete},
        "findings": [
            {"check": name} | _finding_fields(finding, commands)
            for name, finding in ranked(view.checks)
        ],
        "checks": [
            {"check": each.name, "looked_at": each.looked_at, "findings": len(each.findings)}
            for each in view.checks
        ],
    }


def _finding_fields(finding: Finding, commands: Commands) -> dict[str, Any]:
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
