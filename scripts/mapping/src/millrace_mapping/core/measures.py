"""What a shard reports about itself: CloudWatch's metrics and the last result.

https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from dataclasses import dataclass
from enum import StrEnum


class Metric(StrEnum):
    """Names as CloudWatch has them, in the namespace AWS/Lambda."""

    ITERATOR_AGE = "IteratorAge"
    POLLED = "PolledEventCount"
    FILTERED_OUT = "FilteredOutEventCount"
    INVOKED = "InvokedEventCount"
    FAILED_INVOKE = "FailedInvokeEventCount"
    DROPPED = "DroppedEventCount"
    DELIVERED = "OnFailureDestinationDeliveredEventCount"
    DELIVERY_FAILURES = "DestinationDeliveryFailures"


@dataclass(frozen=True, slots=True)
class Measure:
    """One value of one metric."""

    metric: Metric
    value: float


class Result(StrEnum):
    """LastProcessingResult, in AWS's words.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
    """

    NONE = "No records processed"
    OK = "OK"
    FAILED = "PROBLEM: Function call failed"
    THROTTLED = "PROBLEM: Function call was throttled or could not be made"
    DENIED = "PROBLEM: Cannot access stream: the function's role may not read it"
