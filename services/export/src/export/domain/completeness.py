"""When an hour is complete: everything that had arrived in time is archived."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from export.domain.files import Status
from millrace.commit import EventSpan

HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class PipelineProgress:
    """What is on its way, as seen at one time; read before the rows of any hour."""

    seen_at: datetime
    waiting_since: datetime | None
    """Arrival of the earliest record that may not be committed; None if all are."""
    unarchived: tuple[EventSpan | None, ...]
    """Spans of the commits that archive has yet to mark; None for one that does not say it."""

    def status(self, hour: datetime, grace: timedelta) -> Status:
        """Return whether an hour's archive holds all that arrived until `grace` after its end.

        What arrives later is late: archive notes the hour as changed, and it is exported again.
        """
        settled = hour + HOUR + grace
        if self.seen_at < settled:
            return Status.PROVISIONAL
        if self.waiting_since is not None and self.waiting_since < settled:
            return Status.PROVISIONAL
        touching = any(span is None or span.touches(hour, hour + HOUR) for span in self.unarchived)
        return Status.PROVISIONAL if touching else Status.COMPLETE
