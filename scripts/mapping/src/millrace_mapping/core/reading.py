"""The reading half of a shard: which iterator, from where, and when the next read is due.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from dataclasses import dataclass

from millrace_mapping.core.effects import OpenIterator, Page, ReadFault, ReadPage
from millrace_mapping.core.settings import Origin, Pace, Start


@dataclass(slots=True)
class Reading:
    """Where the next read begins, and whether one is under way."""

    start: Start
    pace: Pace
    last_read: str | None = None
    ended: bool = False
    not_before: float = 0.0
    under_way: bool = False
    asked_at: float = 0.0
    _iterator: str | None = None
    _failures: int = 0

    def ask(self, now: float) -> OpenIterator | ReadPage:
        """Return the effect that brings the next records nearer."""
        self.under_way = True
        self.asked_at = now
        if self._iterator is not None:
            return ReadPage(self._iterator)
        if self.last_read is not None:
            return OpenIterator(Start(Origin.AFTER, after=self.last_read))
        return OpenIterator(self.start)

    def opened(self, iterator: str) -> None:
        """Take the iterator that was asked for."""
        self.under_way = False
        self._iterator = iterator

    def read(self, page: Page, now: float) -> None:
        """Note what a read brought; at the tip of the shard the next one has time."""
        self.under_way = False
        self._failures = 0
        self._iterator = page.iterator
        self.ended = page.iterator is None
        if page.records:
            self.last_read = page.records[-1].sequence
            self.not_before = now
        else:
            self.not_before = now + (self.pace.idle_s if page.behind_ms == 0 else 0)

    def failed(self, fault: ReadFault, now: float) -> None:
        """Note that a read brought nothing. An expired iterator is replaced at once."""
        self.under_way = False
        if fault is ReadFault.GONE:
            self.ended = True
        if fault is not ReadFault.THROTTLED:
            self._iterator = None  # the place is what counts
        if fault is ReadFault.EXPIRED:
            return
        self._failures += 1
        self.not_before = now + self.pace.backoff_s(self._failures)
