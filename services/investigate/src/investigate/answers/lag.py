"""GET /lag."""

from investigate.answers.told import Answer, Coverage, Told

Histogram = dict[str, int]
"""Events by bucket: number n holds lags above 1.1^(n-1) and up to 1.1^n ms, -1 none at all."""


class Quantiles(Answer):
    """Of a number of milliseconds; null where there is no event."""

    events: int
    p50_ms: int | None
    p90_ms: int | None
    p99_ms: int | None
    max_ms: int | None
    histogram: Histogram


class SourceLag(Quantiles):
    """The lag of a source."""

    source: str


class LagRow(SourceLag):
    """The lag of a source and type in one hour of arrival."""

    event_type: str
    hour: str


class StageRow(Quantiles):
    """How long a step of the pipeline took."""

    step: str
    waiting_events: int


class LagAnswer(Told):
    """GET /lag."""

    coverage: Coverage
    total: Quantiles
    by_source: tuple[SourceLag, ...]
    rows: tuple[LagRow, ...]
    stages: tuple[StageRow, ...]
