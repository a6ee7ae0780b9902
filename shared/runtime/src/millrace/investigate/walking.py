"""Walking the commits that arrived in a window, shard by shard, within a budget."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from millrace.commit import ARRIVAL_SLACK, SEQ_DIGITS, Commit, ShardKey
from millrace.investigate.errors import InvalidQuestion
from millrace.investigate.ports import CommitPages
from millrace.read_cost import Bound, Budget
from millrace.times import format_ms, to_epoch_ms

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Period:
    """`start <= t < end`."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise InvalidQuestion(
                "to", f"{format_ms(self.end)} is not after from, {format_ms(self.start)}"
            )

    def holds(self, at: datetime) -> bool:
        """Tell whether an instant lies in the period."""
        return self.start <= at < self.end

    @property
    def fingerprint(self) -> str:
        """A cursor is good for the period that it was given out for, and for no other."""
        asked = orjson.dumps([to_epoch_ms(self.start), to_epoch_ms(self.end)])
        return blake2b(asked, digest_size=6).hexdigest()

    def as_json(self) -> dict[str, str]:
        """Return the period for JSON."""
        return {"from": format_ms(self.start), "to": format_ms(self.end)}


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what was asked an answer covers."""

    period: Period
    commits: int
    ended_by: Bound | None = None
    """None: all of it."""
    cursor: str | None = None
    """With this the same question is answered for the rest."""

    def as_json(self) -> dict[str, Any]:
        """Return the coverage for JSON."""
        return self.period.as_json() | {
            "commits": self.commits,
            "complete": self.ended_by is None,
            "ended_by": self.ended_by,
            "cursor": self.cursor,
        }


class Walk:
    """One walk over the commits whose first record arrived in `period`; iterate it once.

    Every commit belongs to exactly one of two adjoining periods. Within a shard arrivals rise with
    sequence numbers, or nearly so: what lies up to ARRIVAL_SLACK outside is looked at too.
    """

    def __init__(
        self,
        commits: CommitPages,
        period: Period,
        budget: Budget,
        *,
        cursor: str | None = None,
        lines: bool = False,
    ) -> None:
        """Begin, or go on where the walk that gave out `cursor` ended.

        Raises:
            InvalidQuestion: the cursor is malformed, or of another period.
        """
        self._commits = commits
        self._period = period
        self._budget = budget
        self._after = None if cursor is None else _read_cursor(cursor, period)
        self._lines = lines
        self._seen = 0
        self._ended_by: Bound | None = None
        self._rest: str | None = None

    @property
    def coverage(self) -> Coverage:
        """How far the walk has come."""
        return Coverage(self._period, self._seen, self._ended_by, self._rest)

    def __iter__(self) -> Iterator[Commit]:
        """Yield the commits; stops early when the budget is spent (see `coverage`)."""
        for shard, first_seq in self._starts():
            for page in self._commits.pages(shard, first_seq, lines=self._lines):
                within = [each for each in page if self._period.holds(each.head.first_arrival)]
                self._seen += len(within)
                yield from within
                if page[-1].head.first_arrival >= self._period.end + ARRIVAL_SLACK:
                    break
                if self._stop(shard, page[-1].head.last_seq + 1):
                    return

    def _starts(self) -> Iterator[tuple[ShardKey, int]]:
        for shard in self._commits.shards():
            if self._after is not None and str(shard) <= self._after[0]:
                if str(shard) == self._after[0]:
                    yield shard, self._after[1]
                continue
            first_seq = self._commits.first_arrived(shard, self._period.start - ARRIVAL_SLACK)
            if first_seq is not None:
                yield shard, first_seq

    def _stop(self, shard: ShardKey, next_seq: int) -> bool:
        self._ended_by = self._budget.spent
        if self._ended_by is None:
            return False
        fields = [_VERSION, self._period.fingerprint, str(shard), str(next_seq)]
        self._rest = urlsafe_b64encode(orjson.dumps(fields)).decode().rstrip("=")
        return True


def _read_cursor(cursor: str, period: Period) -> tuple[str, int]:
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        fields: Any = orjson.loads(urlsafe_b64decode(padded.encode("ascii")))
        version, fingerprint, shard, next_seq = fields
        place = (str(shard), _sequence_number(next_seq))
    except (ValueError, TypeError) as err:
        raise InvalidQuestion(
            "cursor", "it is malformed; pass it on exactly as the answer before gave it"
        ) from err
    if (version, fingerprint) != (_VERSION, period.fingerprint):
        raise InvalidQuestion("cursor", "it is of another period; ask again without one")
    return place


def _sequence_number(text: str) -> int:
    number = int(text)
    if not 0 <= number < 10**SEQ_DIGITS:
        raise ValueError(f"{number} is no sequence number")
    return number
