"""Steps as commands to copy."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from millrace.investigate.cockpit.findings import Step, Tool

_NEED_A_REASON = frozenset(
    {("dlq", "redrive"), ("failures", "repair"), ("failures", "abandon"), ("replay", "resume")}
)


@dataclass(frozen=True, slots=True)
class Commands:
    """Writes steps as commands for one deployment."""

    functions: Mapping[str, str]
    """Names by service."""
    name_prefix: str
    where: tuple[str, ...] = ()
    """What tells `millrace` the deployment."""
    deploy: str = "make deploy"
    with_reason: bool = True
    """Whether operators must say why."""

    def of(self, step: Step) -> str:
        """Return one line for a shell; those of AWS's CLI set its variables first."""
        if step.tool is Tool.MILLRACE:
            return shlex.join(["millrace", *step.words, *self._reason(step), *self.where])
        if step.tool is Tool.DEPLOY:
            return self.deploy
        reach = shlex.join(["millrace", "env", *self.where])
        return f'eval "$({reach})" && {self._aws(step)}'

    def _aws(self, step: Step) -> str:
        (subject,) = step.words
        if step.tool is Tool.MAPPING_ON:
            return f"aws lambda update-event-source-mapping --enabled --uuid {shlex.quote(subject)}"
        if step.tool is Tool.SCHEDULE_ON:
            return f"aws events enable-rule --name {shlex.quote(subject)}"
        function = shlex.quote(self.functions.get(subject, f"{self.name_prefix}-{subject}"))
        if step.tool is Tool.CONCURRENCY:
            return f"aws lambda delete-function-concurrency --function-name {function}"
        return (
            f"aws logs filter-log-events --log-group-name /aws/lambda/{function} "
            "--filter-pattern ERROR --start-time $(( ($(date +%s) - 3600) * 1000 )) "
            "--query 'events[-5:].message' --output text"
        )

    def _reason(self, step: Step) -> list[str]:
        needed = self.with_reason and step.words[:2] in _NEED_A_REASON
        return ["--reason", "found by status"] if needed else []
