"""Which hours to export: those that changed since, or those that were asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from aws_lambda_powertools import Logger

from export.domain.completeness import HOUR, PipelineProgress
from export.domain.files import Status
from export.ports import DirtyHour, DirtyHours, Progress, UploadFailed
from export.service import Export, HasTime, HourOutcome, always
from millrace.clock import Clock
from millrace.errors import MillraceError
from millrace.times import parse_rfc3339
from millrace.windows import hour_label


@dataclass(frozen=True, slots=True)
class FailedHour:
    """An hour that could not be exported now; it stays on the list."""

    hour: str
    error: str


@dataclass(slots=True)
class Report:
    """What one run did."""

    outcomes: list[HourOutcome] = field(default_factory=list)
    failed: list[FailedHour] = field(default_factory=list)
    failed_uploads: int = 0
    hours_left: int = 0
    """Hours that nothing was begun for, because the time did not suffice."""

    @property
    def done(self) -> bool:
        """Tell whether nothing is left for want of time."""
        return not self.hours_left and not any(outcome.left for outcome in self.outcomes)


@dataclass(frozen=True, slots=True)
class HourlyExport:
    """The run over hours. Every step may be repeated, and another run may go on beside it."""

    dirty_hours: DirtyHours
    progress: Progress
    export: Export
    clock: Clock
    grace: timedelta
    logger: Logger
    reserve_s: int = 60
    """Time of an invocation that is kept for what was begun."""

    def changed(self, has_time: HasTime = always) -> Report:
        """Export the hours that have ended and changed since, the earliest first."""
        now = self.clock.now()
        listed = list(self.dirty_hours.all())
        return self._over([each for each in listed if _start(each.hour) + HOUR <= now], has_time)

    def asked(
        self, hours: Sequence[datetime], only_client: str | None, has_time: HasTime = always
    ) -> Report:
        """Export these hours, also such as have not changed or not ended."""
        listed = {each.hour: each for each in self.dirty_hours.all()}
        wanted = [listed.get(label, DirtyHour(label, "")) for label in map(hour_label, hours)]
        return self._over(wanted, has_time, only_client)

    def _over(
        self, hours: Iterable[DirtyHour], has_time: HasTime, only_client: str | None = None
    ) -> Report:
        report, left = Report(), list(hours)
        progress = self.progress.look() if left else None
        while left and progress and has_time():
            self._one(left.pop(0), progress, report, has_time, only_client)
        report.hours_left = len(left)
        return report

    def _one(
        self,
        hour: DirtyHour,
        progress: PipelineProgress,
        report: Report,
        has_time: HasTime,
        only_client: str | None,
    ) -> None:
        start = _start(hour.hour)
        status = progress.status(start, self.grace)
        try:
            outcome = self.export.export(start, status, only_client, has_time)
            whole = status is Status.COMPLETE and not outcome.left and only_client is None
            if whole and hour.token:
                self.dirty_hours.clear(hour)
        except MillraceError as err:
            self.logger.exception("hour not exported", extra={"hour": hour.hour})
            report.failed.append(FailedHour(hour.hour, str(err)))
            report.failed_uploads += isinstance(err, UploadFailed)
            return
        self.logger.info(
            "hour exported",
            extra={
                "hour": hour.hour,
                "status": status.value,
                "clients": outcome.clients,
                "files": len(outcome.written),
                "events": outcome.events,
                "left": outcome.left,
            },
        )
        report.outcomes.append(outcome)


def _start(hour: str) -> datetime:
    return parse_rfc3339(f"{hour}:00:00Z")
