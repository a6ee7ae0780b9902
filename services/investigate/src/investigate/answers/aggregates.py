"""GET /aggregates."""

from investigate.answers.told import Answer, Page, Told


class AggregateRow(Answer):
    """One number and what went into it."""

    scope: str
    metric_name: str
    window: str
    value: int | float
    """With every digit that the table holds."""
    window_start: str
    window_end: str
    """The last second, included."""
    version: str
    event_count: int
    input_hash: str
    """Equal count and hash mean equal inputs."""
    sample_event_ids: tuple[str, ...]
    defs_version: str
    updated_at: str


class AggregatesAnswer(Told):
    """GET /aggregates: in order of time, version, metric."""

    coverage: Page
    rows: tuple[AggregateRow, ...]
