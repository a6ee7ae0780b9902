"""Where a batch ends: at its size, at the payload limit, or when its window has passed.

https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html (batching behavior)
"""

from collections.abc import Iterable
from dataclasses import dataclass

from millrace_mapping.core.records import CLOSING, OPENING, EncodedRecord

# Of a synchronous invocation, base64 and the event's own members included:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_PAYLOAD_BYTES = 6 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Cut:
    """How many waiting records the next batch takes, and whether a limit made it end there."""

    count: int
    is_full: bool


def cut_batch(waiting: Iterable[EncodedRecord], batch_size: int) -> Cut:
    """Return the longest batch within the batch size and the payload limit.

    A record that alone exceeds the limit is a batch by itself: the invocation says so.
    """
    payload_bytes = len(OPENING) + len(CLOSING)
    count = 0
    for record in waiting:
        payload_bytes += len(record.json) + 1
        if count == batch_size or (payload_bytes > MAX_PAYLOAD_BYTES and count > 0):
            return Cut(count, is_full=True)
        count += 1
    return Cut(count, is_full=count >= batch_size)
