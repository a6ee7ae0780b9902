"""Exporting hours by hand: the export function is asked hour by hour, until each is done.

An hour for which one invocation's time does not suffice is asked for again, and goes on where it
was; so does a command that was interrupted.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from millrace.windows import WindowWidth, hour_label, window_of
from millrace_cli.archive import hours_in
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_FUNCTION = "export"


@dataclass(slots=True)
class ExportedHour:
    """What an export made of one hour."""

    hour: str
    status: str = ""
    """complete or provisional."""
    clients: int = 0
    files_written: int = 0
    manifests_written: int = 0
    events: int = 0
    """Events in the files that were written."""
    invocations: int = 0
    error: str | None = None

    def add(self, answer: Mapping[str, Any]) -> None:
        """Count what one invocation did."""
        self.invocations += 1
        for done in answer["hours"]:
            self.status, self.clients = done["status"], done["clients"]
            self.files_written += done["files_written"]
            self.manifests_written += done["manifests_written"]
            self.events += done["events"]
        for failed in answer["failed"]:
            self.error = failed["error"]


@dataclass(slots=True)
class ExportReport:
    """What became of all the hours."""

    hours: list[ExportedHour] = field(default_factory=list)

    @property
    def failed(self) -> list[ExportedHour]:
        """The hours that could not be exported."""
        return [hour for hour in self.hours if hour.error is not None]

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON."""
        return {
            "hours": [asdict(hour) for hour in self.hours],
            "files_written": sum(hour.files_written for hour in self.hours),
            "events": sum(hour.events for hour in self.hours),
            "failed": len(self.failed),
        }


class ExportFunction(Protocol):
    """The deployed function."""

    def export(self, hour: str, client_id: str | None) -> Mapping[str, Any]:
        """Invoke it for one hour and return its answer; blocks for up to 15 minutes.

        Raises:
            CommandError: it is not there, or it failed.
        """
        ...


class LambdaExport:
    """`ExportFunction` on Lambda."""

    def __init__(self, environment: Environment) -> None:
        names = environment.outputs.functions
        if _FUNCTION not in names:
            raise CommandError("this deployment has no export", "apply Terraform again")
        self._name = names[_FUNCTION]
        self._client: LambdaClient = environment.clients.functions()

    def export(self, hour: str, client_id: str | None) -> Mapping[str, Any]:
        """Invoke the function for one hour and return its answer."""
        request = {"hours": [hour], "client_id": client_id}
        with explained(f"export {hour}"):
            answer = self._client.invoke(FunctionName=self._name, Payload=orjson.dumps(request))
            payload = orjson.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            problem = payload.get("errorMessage", "it ended without an answer")
            raise CommandError(f"the export of {hour} failed: {problem}", "see the function's log")
        result: Mapping[str, Any] = payload
        return result


def hours_asked(when: str | None, start: datetime | None, end: datetime | None) -> list[str]:
    """Return the hours of `2015-09-12T13`, of `2015-09-12`, or from `start` on and before `end`.

    Raises:
        CommandError: neither or both are said, or nothing lies between start and end.
    """
    if when is not None and start is None and end is None:
        return hours_in(when)
    if when is not None or start is None or end is None:
        raise CommandError(
            "say which hours", "give one hour or date, or --from and --to", ExitCode.USAGE
        )
    if end <= start:
        raise CommandError("--to is not after --from", "say a later --to", ExitCode.USAGE)
    first = window_of(start, WindowWidth.HOUR).start
    count = -(-(end - first) // timedelta(hours=1))
    return [hour_label(first + timedelta(hours=n)) for n in range(count)]


def export_hours(
    function: ExportFunction,
    hours: Sequence[str],
    client_id: str | None,
    listeners: Iterable[Callable[[int, ExportedHour], None]] = (),
) -> ExportReport:
    """Export the hours in their order, each until it is done; a failed one stops no other.

    listeners: told after each invocation how many hours are done, and of the one at work.
    """
    report = ExportReport()
    for number, label in enumerate(hours):
        hour = ExportedHour(label)
        report.hours.append(hour)
        while True:
            answer = function.export(label, client_id)
            hour.add(answer)
            over = answer["done"] or hour.error is not None
            for listener in listeners:
                listener(number + over, hour)
            if over:
                break
    return report
