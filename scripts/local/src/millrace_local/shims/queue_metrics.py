"""SQS: the metrics of its queues, which AWS publishes every minute and ministack never does.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from millrace_local.shims.patching import attribute

_EVERY_S = 60.0
Figures = Mapping[str, float]


class Published:
    """What was last said of each queue: it is said again when it changes, and every minute."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        """Begin with nothing said."""
        self._clock = clock
        self._said: dict[tuple[str, str], tuple[float, float]] = {}

    def due(self, queue: str, figures: Figures) -> Iterator[tuple[str, float]]:
        """Yield the metrics to publish now."""
        now = self._clock()
        for name, value in figures.items():
            at, last = self._said.get((queue, name), (0.0, -1.0))
            if value != last or now - at >= _EVERY_S:
                self._said[queue, name] = (now, value)
                yield name, value


def publishing() -> Callable[[], None]:
    """Return what publishes the figures of all queues as they are."""
    queues = attribute("services.sqs", "_queues._data")  # of every account and region
    scope = attribute("core.responses", "request_scope")
    record = attribute("services.cloudwatch", "record_metric")
    published = Published()

    def publish() -> None:
        for (account, region, url), queue in list(queues.items()):
            name = url.rsplit("/", 1)[-1]
            figures = figures_of(list(queue["messages"]), time.time())
            with scope(account, region):
                for metric, value in published.due(url, figures):
                    record("AWS/SQS", metric, value, "Count", {"QueueName": name})

    return publish


def figures_of(messages: Sequence[Mapping[str, Any]], now: float) -> Figures:
    """Return how many messages can be received, and how old the oldest is (0: there is none)."""
    visible = [each for each in messages if each.get("visible_at", 0) <= now]
    ages = [now - each["sent_at"] for each in messages]
    return {
        "ApproximateNumberOfMessagesVisible": len(visible),
        "ApproximateAgeOfOldestMessage": int(max(ages, default=0)),
    }
