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
    """An hour that could not be exported, or not for all; it stays on the list."""

    hour: str
    error: str


@dataclass(slots=True)
class Report:
    """What one run did."""

    outcomes: list[HourOutcome] = field(default_factory=list)
    failed: list[FailedHour] = field(default_factory=list)
    hours_left: int = 0
    """Hours that nothing was begun for, because the time did not suffice."""

    @property
    def failed_uploads(self) -> int:
        """Files or manifests that could not be written."""
        errors = [error for outcome in self.outcomes for error in outcome.failed.values()]
        return sum(isinstance(error, UploadFailed) for error in errors)

    @property
    def not_exported(self) -> int:
        """Hours that are not exported as complete: provisional, failed, or not begun."""
        failed = {each.hour for each in self.failed}
        provisional = {o.hour for o in self.outcomes if o.left or o.status is not Status.COMPLETE}
        return len(failed | provisional) + self.hours_left

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
            whole = not outcome.left and not outcome.failed and only_client is None
            if whole and hour.token and status is Status.COMPLETE:
                self.dirty_hours.clear(hour)
        except MillraceError as err:
            self.logger.exception("hour not exported", extra={"hour": hour.hour})
            report.failed.append(FailedHour(hour.hour, str(err)))
            return
        report.outcomes.append(outcome)
        self._log(outcome)
        if outcome.failed:
            client_id, error = next(iter(outcome.failed.items()))
            problem = f"{len(outcome.failed)} clients failed; {client_id}: {error}"
            report.failed.append(FailedHour(hour.hour, problem))

    def _log(self, outcome: HourOutcome) -> None:
        for client_id, error in outcome.failed.items():
            self.logger.error(
                "client not exported",
                extra={"hour": outcome.hour, "client_id": client_id, "error": str(error)},
            )
        self.logger.info(
            "hour exported",
            extra={
                "hour": outcome.hour,
                "status": outcome.status.value,
                "clients": outcome.clients,
                "files": len(outcome.written),
                "events": outcome.events,
                "left": outcome.left,
            },
        )


def _start(hour: str) -> datetime:
    return parse_rfc3339(f"{hour}:00:00Z")
