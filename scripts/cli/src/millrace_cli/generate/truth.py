"""The truth about a sample: what the pipeline is to find in it, and exactly what was injected."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from millrace.event import read_event
from millrace.times import format_ms, from_epoch_ms
from millrace_cli.generate.faults import Delivery, Gap
from millrace_cli.generate.plan import Plan

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Truth:
    """What to expect of a sample that enters an empty pipeline in the order of its lines.

    Lateness holds for a stream of one shard: each shard has its own highest event times.
    """

    plan: Plan
    deliveries: Sequence[Delivery]
    silences: Sequence[Gap]
    missing_days: Sequence[Gap]
    experiments: int
    assignments: int

    @property
    def records(self) -> int:
        """Lines to send."""
        return len(self.deliveries)

    @property
    def accepted(self) -> int:
        """Records that are new events."""
        return sum(1 for _ in self._accepted())

    @property
    def duplicates(self) -> int:
        """Records that are events which came before."""
        return sum(each.duplicate for each in self.deliveries)

    @property
    def quarantined(self) -> Mapping[str, int]:
        """Records that are no events, by reason."""
        reasons = Counter(str(each.rejected) for each in self.deliveries if each.rejected)
        return dict(sorted(reasons.items()))

    @property
    def late(self) -> int:
        """Events that arrive behind their source's highest event time by more than an hour."""
        return sum(each.late for each in self.deliveries)

    def summary(self) -> str:
        """Return what the sample holds, in one line."""
        return (
            f"{self.records:,} records: {self.accepted:,} events ({self.late:,} of them "
            f"late), {self.duplicates:,} duplicates, {sum(self.quarantined.values()):,} malformed"
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the truth for JSON; lines count from 1, as in the file of events."""
        plan = self.plan
        by_time = [from_epoch_ms(each.event.at_ms) for each in self._accepted()]
        return {
            "format": FORMAT,
            "options": {
                "seed": plan.seed,
                "events": plan.events,
                "days": plan.days,
                "start": plan.start.isoformat(),
            },
            "period": {"from": format_ms(plan.begin), "to": format_ms(plan.end)},
            "records": self.records,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": sum(self.quarantined.values()),
            "quarantined_by_reason": self.quarantined,
            "late": self.late,
            "accepted_by": {
                "source": _counts(each.event.source for each in self._accepted()),
                "event_type": _counts(each.event.event_type for each in self._accepted()),
                "day": _counts(at.strftime("%Y-%m-%d") for at in by_time),
            },
            "experiments": self.experiments,
            "assignments": self.assignments,
            "injected": self._injected(),
        }

    def _accepted(self) -> Iterator[Delivery]:
        return (each for each in self.deliveries if not each.duplicate and not each.rejected)

    def _injected(self) -> dict[str, Any]:
        numbered = list(enumerate(self.deliveries, start=1))
        return {
            "duplicates": [_named(line, each) for line, each in numbered if each.duplicate],
            "late": [
                _named(line, each) | {"delay_s": (each.at_ms - each.event.at_ms) // 1000}
                for line, each in numbered
                if each.late
            ],
            "malformed": [
                {"line": line, "reason": str(each.rejected)}
                for line, each in numbered
                if each.rejected
            ],
            "silent_sources": [_gap("source", gap) for gap in self.silences],
            "missing_days": [_gap("entity_id", gap) for gap in self.missing_days],
        }


def _named(line: int, delivery: Delivery) -> dict[str, Any]:
    event = read_event(delivery.data)
    return {
        "line": line,
        "event_id": event.event_id,
        "source": delivery.event.source,
        "entity_id": delivery.event.entity_id,
        "event_time": format_ms(event.event_time),
    }


def _gap(what: str, gap: Gap) -> dict[str, Any]:
    return {
        what: gap.name,
        "from": format_ms(gap.begin),
        "to": format_ms(gap.end),
        "events_taken_away": gap.removed,
    }


def _counts(names: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))
