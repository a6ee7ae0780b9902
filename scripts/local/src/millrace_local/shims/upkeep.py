"""Work that ministack repeats at every request: done when it is due, or once.

Answers stay what they are: GetRecords itself refuses an iterator that is too old, and metrics are
asked for by their time. An engine that held 200,000 records spent four fifths of its time on this.
"""

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from millrace_local.shims.patching import attribute, replace

_KINESIS = "services.kinesis"
_FORGET_EVERY_S = 5.0
_EVICT_EVERY_S = 60.0
_STATEMENTS = 1024
"""How many texts of PartiQL statements are kept split into tokens: functions use a dozen."""

Stream = dict[str, Any]


def do_what_is_due() -> None:
    """Forget iterators and metrics now and then, records when one is due; split a text once."""
    for module, name, every_s in (
        (_KINESIS, "_expire_iterators", _FORGET_EVERY_S),
        ("services.cloudwatch", "_evict_old_metrics", _EVICT_EVERY_S),
    ):
        work = attribute(module, name)
        replace(module, name, now_and_then(work, every_s, time.monotonic))
    expire = attribute(_KINESIS, "_expire_records")
    replace(_KINESIS, "_expire_records", when_the_oldest_is_due(expire, time.time))
    split = attribute("services._dynamodb_keywords", "_tokenize")
    replace("services._dynamodb_keywords", "_tokenize", lru_cache(_STATEMENTS)(split))


def now_and_then(
    work: Callable[[], None], every_s: float, now_s: Callable[[], float]
) -> Callable[[], None]:
    """Return `work`, which does nothing if it was done in the last `every_s` seconds."""
    due_s = now_s()

    def run() -> None:
        nonlocal due_s
        if now_s() >= due_s:
            due_s = now_s() + every_s
            work()

    return run


def when_the_oldest_is_due(
    expire: Callable[[Stream], None], now_s: Callable[[], float]
) -> Callable[[Stream], None]:
    """Return `expire`, which looks at all records of a stream only if a shard's first is too old.

    A shard's records stand in the order of their arrival.
    """

    def run(stream: Stream) -> None:
        oldest_s = now_s() - stream["RetentionPeriodHours"] * 3600
        if any(_starts_before(oldest_s, shard["records"]) for shard in stream["shards"].values()):
            expire(stream)

    return run


def _starts_before(oldest_s: float, records: Sequence[dict[str, Any]]) -> bool:
    return bool(records) and records[0]["ApproximateArrivalTimestamp"] < oldest_s
