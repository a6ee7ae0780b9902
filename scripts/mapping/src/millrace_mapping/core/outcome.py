"""What became of a batch, read from the function's answer as Lambda reads it.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A function's answer to an invocation. error: type and message, None if it returned."""

    payload: bytes
    error: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many records from the batch's start are done with; the others failed for `reason`."""

    done: int
    reason: str | None = None
    is_function_error: bool = False
    request_id: str = ""


def read_outcome(
    answer: Answer, sequences: Sequence[str], *, reports_item_failures: bool
) -> Outcome:
    """Return what the answer means for a batch with these sequence numbers, in their order.

    The lowest reported number fails with everything after it. An identifier that is empty, null,
    under another key or not of this batch fails the whole batch; so does an answer that cannot be
    read, since taking it for success would lose records.
    """
    if answer.error is not None:
        return Outcome(0, answer.error, is_function_error=True, request_id=answer.request_id)
    if not reports_item_failures:
        return Outcome(len(sequences))
    try:
        positions = {sequence: position for position, sequence in enumerate(sequences)}
        failed = [positions[each["itemIdentifier"]] for each in _reported(answer.payload)]
    except (ValueError, TypeError, KeyError) as err:
        reason = f"unreadable batchItemFailures ({type(err).__name__})"
        return Outcome(0, reason, request_id=answer.request_id)
    if not failed:
        return Outcome(len(sequences))
    reason = f"{len(failed)} reported, the lowest at {sequences[min(failed)]}"
    return Outcome(min(failed), reason, request_id=answer.request_id)


def _reported(payload: bytes) -> list[dict[str, Any]]:
    response = json.loads(payload) if payload.strip() else None
    if not response:  # an empty or null response, of whatever type
        return []
    if not isinstance(response, dict):
        raise TypeError("the response is not an object")
    failures = response.get("batchItemFailures")
    if failures is None:
        return []
    if not isinstance(failures, list):
        raise TypeError("batchItemFailures is not a list")
    return failures
