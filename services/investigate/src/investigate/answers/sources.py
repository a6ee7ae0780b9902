"""GET /sources."""

from investigate.answers.lag import Quantiles
from investigate.answers.told import Answer, Coverage, Told


class SourceRow(Answer):
    """A source, with the numbers that make it a problem."""

    source: str
    records: int
    accepted: int
    duplicates: int
    conflicts: int
    rejected: int
    late: int
    problem_share: float
    rejected_share: float
    duplicate_share: float
    conflict_share: float
    late_share: float
    reject_reasons: dict[str, int]
    lag: Quantiles
    last_arrival: str | None
    silent_s: float | None
    """From the last arrival to the end of the period, or to now."""


class SourcesAnswer(Told):
    """GET /sources: the worst first."""

    coverage: Coverage
    sources: tuple[SourceRow, ...]
    unreadable_objects: int
