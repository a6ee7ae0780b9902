"""What is kept of a batch that is given up: AWS's invocation record and the name of its object.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from millrace_mapping.core.outcome import Outcome
from millrace_mapping.core.records import EncodedRecord, event_payload
from millrace_mapping.core.settings import MappingSettings


class Condition(StrEnum):
    """Why a batch was given up."""

    RETRIES = "RetryAttemptsExhausted"
    AGE = "RecordAgeExceeded"


@dataclass(frozen=True, slots=True)
class Discard:
    """A batch that is given up, when, and after how many attempts at it."""

    shard_id: str
    records: tuple[EncodedRecord, ...]
    condition: Condition
    invocations: int
    at: float
    outcome: Outcome | None = None


def invocation_record(discard: Discard, settings: MappingSettings) -> dict[str, Any]:
    """Return the document for the destination, without the payload that only S3 receives.

    As recorded of AWS: an error that the function reports in its answer leaves `functionError`
    null; a batch that is too old has no `responseContext`; an invocation is always counted.
    """
    first, last = discard.records[0], discard.records[-1]
    record: dict[str, Any] = {
        "requestContext": {
            "requestId": discard.outcome.request_id if discard.outcome else "",
            "functionArn": settings.function_arn,
            "condition": discard.condition,
            "approximateInvokeCount": max(1, discard.invocations),
        }
    }
    if discard.condition is not Condition.AGE:
        raised = discard.outcome is not None and discard.outcome.is_function_error
        record["responseContext"] = {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            "functionError": "Unhandled" if raised else None,
        }
    return record | {
        "version": "1.0",
        "timestamp": _iso(discard.at),
        "KinesisBatchInfo": {
            "shardId": discard.shard_id,
            "startSequenceNumber": first.sequence,
            "endSequenceNumber": last.sequence,
            "approximateArrivalOfFirstRecord": _iso(first.arrival),
            "approximateArrivalOfLastRecord": _iso(last.arrival),
            "batchSize": len(discard.records),
            "streamArn": settings.stream_arn,
        },
    }


def with_payload(record: dict[str, Any], discard: Discard) -> dict[str, Any]:
    """Return the document as S3 receives it: with the whole event, as text."""
    return record | {"payload": event_payload(discard.records).decode("ascii")}


def object_key(discard: Discard, uuid: str, unique: str) -> str:
    """Return the key of the S3 object; unique: a random UUID."""
    at = datetime.fromtimestamp(discard.at, UTC)
    return f"aws/lambda/{uuid}/{discard.shard_id}/{at:%Y/%m/%d}/{at:%Y-%m-%dT%H.%M.%S}-{unique}"


def _iso(at: float) -> str:
    return (
        datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
        .isoformat(timespec="milliseconds")
        .replace("+00:00", "Z")
    )
