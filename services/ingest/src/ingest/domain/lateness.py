"""Which events are late: behind the highest event time of their source by more than allowed.

The highest time is a shard's own (nothing shared between shards is in a commit) and moves with its
checkpoint, so that a second attempt at the same records comes to the same count.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ingest.domain.deduplication import EventLine
from millrace.times import to_epoch_ms

# A checkpoint is written twice a commit and its size is paid for each time. Sources beyond this
# many are measured within their own commit only.
MAX_SOURCES = 200


@dataclass(frozen=True, slots=True)
class Lateness:
    """The late lines of a commit, and the highest times after it."""

    behind_ms: Mapping[int, int]
    """How far each late line is behind its source's highest time, by line number."""
    highest_ms: Mapping[str, int]

    @property
    def late_lines(self) -> frozenset[int]:
        """The numbers of the late lines."""
        return frozenset(self.behind_ms)


def lateness_of(
    lines: Iterable[EventLine], highest_ms: Mapping[str, int], allowed: timedelta
) -> Lateness:
    """Return which of `lines` are late, in their order, starting from `highest_ms` by source."""
    highest = dict(highest_ms)
    allowed_ms = allowed // timedelta(milliseconds=1)
    late: dict[int, int] = {}
    for number, line in enumerate(lines):
        source, at_ms = line.event.source, to_epoch_ms(line.event.event_time)
        behind_ms = highest.get(source, at_ms) - at_ms
        if behind_ms > allowed_ms:
            late[number] = behind_ms
        highest[source] = max(at_ms, highest.get(source, at_ms))
    latest = sorted(highest.items(), key=lambda each: (-each[1], each[0]))[:MAX_SOURCES]
    return Lateness(late, dict(sorted(latest)))
