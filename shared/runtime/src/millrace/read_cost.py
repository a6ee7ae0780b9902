"""What reading took, and how much of it one answer may take."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from millrace.clock import Clock


@dataclass(slots=True)
class ReadCost:
    """What reading took so far."""

    queries: int = 0
    """Query pages of at most 1 MB."""
    units: float = 0.0
    """Read units, as DynamoDB counted them."""
    objects: int = 0
    """Objects, or ranges of them, read from S3."""

    @property
    def pages(self) -> int:
        """What a budget counts: each is one answer of at most a few megabytes."""
        return self.queries + self.objects

    def add(self, answer: Any) -> None:  # noqa: ANN401 - any answer that tells its capacity
        """Count an answer's units; a batch call tells them per table."""
        told = answer.get("ConsumedCapacity") or []
        for each in told if isinstance(told, list) else [told]:
            self.units += float(each.get("CapacityUnits", 0.0))

    def since(self, before: "ReadCost") -> "ReadCost":
        """Return what reading took after `before` was copied."""
        return ReadCost(
            self.queries - before.queries,
            self.units - before.units,
            self.objects - before.objects,
        )

    def as_json(self) -> dict[str, Any]:
        """Return the cost for JSON."""
        return {
            "query_pages": self.queries,
            "read_units": round(self.units, 1),
            "object_reads": self.objects,
        }


class Bound(StrEnum):
    """What ended an answer before its end."""

    PAGES = "pages"
    TIME = "time"


class Budget:
    """How much one answer may read. Checked between pages, so an answer may take one page more."""

    def __init__(
        self,
        cost: ReadCost,
        clock: Clock,
        *,
        max_pages: int | None = None,
        deadline: datetime | None = None,
    ) -> None:
        """`cost` is what the adapters that read for this answer count; None means no bound."""
        if max_pages is not None and max_pages < 1:
            raise ValueError(f"max_pages is {max_pages}; an answer reads one page at least")
        self.cost = cost
        self._clock = clock
        self._last = None if max_pages is None else cost.pages + max_pages
        self._deadline = deadline

    @property
    def spent(self) -> Bound | None:
        """Return what ended the answer; None while there is more to spend."""
        if self._last is not None and self.cost.pages >= self._last:
            return Bound.PAGES
        if self._deadline is not None and self._clock.now() >= self._deadline:
            return Bound.TIME
        return None
