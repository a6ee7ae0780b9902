"""Who there is: sources, clients, users (a few of them do most), experiments and assignments."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from millrace.times import format_ms
from millrace_cli.generate.draws import Draws, Weighted

WEB, MOBILE, BILLING = "web", "mobile", "billing"
SOURCES = (WEB, MOBILE, BILLING)
SOURCE_WEIGHTS = (55, 35, 10)
REGULARS = 10
"""The first users, who come every day."""
_CLIENTS = Weighted(("shop-eu", "shop-us", "shop-jp", "outlet"), (50, 30, 15, 5))
_EVENTS_PER_USER = 25
_MIN_USERS = 40
_ZIPF = 1_000_000
_ZIPF_OFFSET = 5
"""Keeps the first user's share near 5 %: weights go with 1 / (rank + this)."""
_LEAD = timedelta(days=3)
_ASSIGNED_BEFORE_PERCENT = 80


@dataclass(frozen=True, slots=True)
class Experiment:
    """One experiment: whom it is for, and how often each variant's users buy."""

    experiment_id: str
    name: str
    traffic_percent: int
    conversion_percent: Mapping[str, int]
    """By variant; the first is the control."""


EXPERIMENTS = (
    Experiment(
        "checkout-button", "Colour of the checkout button", 90, {"control": 10, "green": 16}
    ),
    Experiment(
        "free-shipping",
        "Free shipping above an amount",
        60,
        {"control": 10, "from-30": 18, "from-50": 13},
    ),
    Experiment("onboarding", "Shorter first visit", 30, {"control": 10, "short": 10}),
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant of one user in one experiment, and since when."""

    experiment: Experiment
    variant: str
    assigned_at: datetime

    def row(self, entity_id: str) -> dict[str, object]:
        """Return the row for `millrace assignments load`."""
        return {
            "entity_id": entity_id,
            "experiment_id": self.experiment.experiment_id,
            "variant": self.variant,
            "assigned_at": format_ms(self.assigned_at),
        }


@dataclass(frozen=True, slots=True)
class User:
    """One entity: whose customer it is, and which variants it sees."""

    entity_id: str
    client_id: str
    assignments: tuple[Assignment, ...]


class Population:
    """All users of a sample, the busiest first."""

    def __init__(self, seed: int, events: int, begin: datetime, end: datetime) -> None:
        draws = Draws(seed, "population")
        number = max(_MIN_USERS, events // _EVENTS_PER_USER)
        self.begin = begin
        self.users = tuple(
            User(f"user_{rank + 1}", _CLIENTS.draw(draws), _assignments(draws, begin, end))
            for rank in range(number)
        )
        self._by_activity = Weighted(
            self.users, [_ZIPF // (rank + _ZIPF_OFFSET) for rank in range(number)]
        )

    def draw(self, draws: Draws) -> User:
        """Return a user, a busy one more often."""
        return self._by_activity.draw(draws)

    def experiment_rows(self) -> list[dict[str, object]]:
        """Return the rows for `millrace experiments load`."""
        return [
            {
                "experiment_id": each.experiment_id,
                "name": each.name,
                "status": "running",
                "started_at": format_ms(self.begin - _LEAD),
                "variants": list(each.conversion_percent),
            }
            for each in EXPERIMENTS
        ]

    def assignment_rows(self) -> list[dict[str, object]]:
        """Return the rows for `millrace assignments load`."""
        return [each.row(user.entity_id) for user in self.users for each in user.assignments]


def _assignments(draws: Draws, begin: datetime, end: datetime) -> tuple[Assignment, ...]:
    """Most were assigned before the period; the others have events from before that too."""
    found: list[Assignment] = []
    for experiment in EXPERIMENTS:
        if not draws.chance(experiment.traffic_percent):
            continue
        variant = draws.choice(tuple(experiment.conversion_percent))
        early = draws.chance(_ASSIGNED_BEFORE_PERCENT)
        first, last = (begin - _LEAD, begin) if early else (begin, end)
        at = first + timedelta(
            milliseconds=draws.below((last - first) // timedelta(milliseconds=1))
        )
        found.append(Assignment(experiment, variant, at))
    return tuple(found)
