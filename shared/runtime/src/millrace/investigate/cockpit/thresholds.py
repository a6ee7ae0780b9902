"""From when on something is wrong."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Compared are shares and lags with the pipeline's own usual, never with a wish."""

    patience: timedelta = timedelta(minutes=5)
    """What waits for less is on its way; watch sends overdue references after as long."""
    urgent: timedelta = timedelta(hours=24)
    """What will be gone within this is critical."""
    times_usual: float = 3.0
    """So many times its usual, a share or a lag has risen."""
    rejected_share: float = 0.05
    """Without hours before to compare with, a share of rejects above this is too large."""
    rejected_least: int = 10
    """Fewer rejected records are not a rise."""
    lag_least_ms: int = 60_000
    """A lag that rose by less is not worth a look."""
    events_least: int = 100
    """Fewer events have no p99."""
    hot_write_units: float = 500.0
    """A second, to the rows of one scope: half of what DynamoDB gives one partition key.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
    """
    export_overdue: timedelta = timedelta(hours=2)
    """Export runs hourly and waits for what is late: two runs have missed the hour by then."""
    replay_stuck: timedelta = timedelta(minutes=10)
    """A replay that runs writes down how far it is far more often than this."""
