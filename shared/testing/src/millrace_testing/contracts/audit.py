"""What every audit log promises: `millrace.audit.AuditLog`."""

from datetime import UTC, datetime, timedelta

import pytest

from millrace.audit import AuditEntry, AuditLog, Operation, Phase, audited
from millrace_testing.fakes import FixedClock

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
REDRIVE = Operation("dlq.redrive", "aggregate", "ann", "the right is back", {"rate": "10"})


def entry(at: datetime, operation_id: str = "a") -> AuditEntry:
    """Return an entry of that time."""
    return AuditEntry(at, operation_id, Phase.DONE, REDRIVE, {"sent": 3}, "all of them")


class AuditContract:
    """Subclasses provide the fixture `log`: an empty one."""

    def test_entries_come_back_as_they_were(self, log: AuditLog) -> None:
        """Every field of it."""
        log.record(entry(NEW_YEAR))
        assert list(log.entries(NEW_YEAR, NEW_YEAR + timedelta(seconds=1))) == [entry(NEW_YEAR)]

    def test_a_window_is_half_open_and_in_order_over_months(self, log: AuditLog) -> None:
        """The start is in it, the end is not."""
        inside = [entry(NEW_YEAR - timedelta(days=40)), entry(NEW_YEAR - timedelta(days=1)),
                  entry(NEW_YEAR)]  # fmt: skip
        for each in [*inside, entry(NEW_YEAR + timedelta(hours=1))]:
            log.record(each)
        found = log.entries(NEW_YEAR - timedelta(days=40), NEW_YEAR + timedelta(hours=1))
        assert list(found) == inside

    def test_an_operation_leaves_its_beginning_and_its_end(self, log: AuditLog) -> None:
        """Side by side, though they were written in one millisecond."""
        with audited(log, FixedClock(NEW_YEAR), REDRIVE) as tally:
            tally.add("sent", 2)
        first, last = log.entries(NEW_YEAR, NEW_YEAR + timedelta(days=1))
        assert (first.phase, first.counts) == (Phase.BEGUN, {})
        assert (last.phase, last.counts) == (Phase.DONE, {"sent": 2})
        assert first.operation_id == last.operation_id

    def test_an_operation_that_is_interrupted_says_how_far_it_came(self, log: AuditLog) -> None:
        """The error goes on to its caller."""
        with pytest.raises(KeyboardInterrupt):
            self._interrupted(log)
        *_, last = log.entries(NEW_YEAR, NEW_YEAR + timedelta(days=1))
        assert (last.phase, last.counts, last.result) == (
            Phase.FAILED, {"sent": 1}, "KeyboardInterrupt",
        )  # fmt: skip

    def _interrupted(self, log: AuditLog) -> None:
        with audited(log, FixedClock(NEW_YEAR), REDRIVE) as tally:
            tally.add("sent")
            raise KeyboardInterrupt
