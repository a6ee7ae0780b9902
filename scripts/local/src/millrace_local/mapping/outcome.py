"""What became of a batch, read from the function's answer as Lambda reads it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """A function's answer to an invocation. error: type and message, None if it returned."""

    payload: bytes
    error: str | None = None


@dataclass(frozen=True)
class Outcome:
    """How many records from the batch's start are done with; the others failed for `reason`."""

    done: int
    reason: str | None = None


def read_outcome(
    answer: Answer, sequences: Sequence[str], *, reports_item_failures: bool
) -> Outcome:
    """Return what the answer means for a batch with these sequence numbers, in their order.

    The lowest reported number fails with everything after it. An identifier that is empty, null,
    under another key or not of this batch fails the whole batch; so does an answer that cannot be
    read, since taking it for success would lose records.
    """
    if answer.error is not None:
        return Outcome(0, answer.error)
    if not reports_item_failures:
        return Outcome(len(sequences))
    try:
        failures = _reported(answer.payload)
        positions = {sequence: position for position, sequence in enumerate(sequences)}
        failed = [positions[failure["itemIdentifier"]] for failure in failures]
    except (ValueError, TypeError, KeyError) as err:
        return Outcome(0, f"unreadable batchItemFailures ({type(err).__name__})")
    if not failed:
        return Outcome(len(sequences))
    return Outcome(min(failed), f"{len(failed)} reported, the lowest at {sequences[min(failed)]}")


def _reported(payload: bytes) -> list[dict[str, Any]]:
    response = json.loads(payload) if payload.strip() else None
    if not response:  # an empty or null response
        return []
    failures = response.get("batchItemFailures") if isinstance(response, dict) else response
    if failures is None:
        return []
    if not isinstance(failures, list) or not isinstance(response, dict):
        raise TypeError("batchItemFailures is not a list")
    return failures
