"""What a replay will take: time from the rate, money from AWS's public prices.

An estimate for a decision, not a bill: the storage of markers, logs and data transfer are left
out. Prices of us-east-1, on demand, as published on 2025-11:
https://aws.amazon.com/dynamodb/pricing/on-demand/ https://aws.amazon.com/sqs/pricing/
https://aws.amazon.com/s3/pricing/ https://aws.amazon.com/lambda/pricing/
"""

from collections.abc import Sequence

from millrace.definitions import Metric
from millrace.replay.plan import Estimate

USD_PER_MILLION_WRITE_UNITS = 0.625
USD_PER_MILLION_SQS_REQUESTS = 0.40
USD_PER_MILLION_GETS = 0.40
USD_PER_MILLION_PUTS = 5.0
USD_PER_GB_SECOND = 0.0000166667

SQS_REQUESTS_PER_MESSAGE = 0.3
"""Sent, received and deleted in tens."""
EVENTS_PER_REFERENCE = 10
"""As many events share an enriched object and a reference; a fuller queue makes it more."""
GB_SECONDS_PER_EVENT = 0.001
"""Two functions of 0.5 GB for about a millisecond an event each."""
WRITE_UNITS_PER_MARKER = 2
WRITE_UNITS_PER_COUNTER = 2
"""Both are written in transactions, which cost twice."""


def estimated(events: int, members: int, metrics: Sequence[Metric], rate: int) -> Estimate:
    """Return what `events` in `members` take at `rate` messages a second.

    The writes suppose that the events of one reference share no counter: an upper bound for
    metrics by entity, far too much for the others.
    """
    rows = sum(len(metric.dimensions) * len(metric.windows) for metric in metrics)
    writes = float(events * (WRITE_UNITS_PER_MARKER + WRITE_UNITS_PER_COUNTER * rows))
    references = -(-events // EVENTS_PER_REFERENCE)
    dollars = (
        writes * USD_PER_MILLION_WRITE_UNITS
        + (events + references) * SQS_REQUESTS_PER_MESSAGE * USD_PER_MILLION_SQS_REQUESTS
        + members * USD_PER_MILLION_GETS
        + references * USD_PER_MILLION_PUTS
    ) / 1_000_000 + events * GB_SECONDS_PER_EVENT * USD_PER_GB_SECOND
    return Estimate(seconds=round(events / rate, 3), usd=round(dollars, 6), write_units=writes)
