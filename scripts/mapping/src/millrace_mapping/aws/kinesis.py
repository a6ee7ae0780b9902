"""A Kinesis stream through its API.

https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace_mapping.core.effects import Page, ReadFault
from millrace_mapping.core.lineage import Shard
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.settings import Origin, Start
from millrace_mapping.ports import ReadFailed

# What one GetRecords call returns at most; not every emulator knows the second of the two limits.
_MAX_RECORDS = 10_000
_MAX_PAGE_BYTES = 10 * 1024 * 1024
_FIRST_PAGE = 1_000

_FAULTS = {
    "ExpiredIteratorException": ReadFault.EXPIRED,
    "ProvisionedThroughputExceededException": ReadFault.THROTTLED,
    "LimitExceededException": ReadFault.THROTTLED,
    "KMSThrottlingException": ReadFault.THROTTLED,
    "ResourceNotFoundException": ReadFault.GONE,
    "AccessDeniedException": ReadFault.DENIED,
    "AccessDenied": ReadFault.DENIED,
}


class KinesisStream:
    """`millrace_mapping.ports.Stream`."""

    def __init__(self, client: Any, stream_arn: str) -> None:  # noqa: ANN401 - a boto3 client
        """Read the stream with a client of the function's role."""
        self._client = client
        self._arn = stream_arn
        self._limit = _FIRST_PAGE

    def shards(self) -> list[Shard]:
        """Return the listed shards. Raises: ReadFailed."""
        with _translated():
            pages = self._client.get_paginator("list_shards").paginate(StreamARN=self._arn)
            return [_shard(shard) for page in pages for shard in page["Shards"]]

    def retention_s(self) -> float:
        """Return how long the stream keeps a record. Raises: ReadFailed."""
        with _translated():
            answer = self._client.describe_stream_summary(StreamARN=self._arn)
        return float(answer["StreamDescriptionSummary"]["RetentionPeriodHours"]) * 3600

    def open_iterator(self, shard_id: str, start: Start) -> str:
        """Return an iterator that stands at `start`. Raises: ReadFailed."""
        place: dict[str, Any] = {"ShardIteratorType": start.origin.value}
        if start.origin is Origin.AFTER:
            place["StartingSequenceNumber"] = start.after
        elif start.origin is Origin.AT_TIMESTAMP:
            place["Timestamp"] = start.at
        with _translated():
            iterator: str = self._client.get_shard_iterator(
                StreamARN=self._arn, ShardId=shard_id, **place
            )["ShardIterator"]
        return iterator

    def read(self, iterator: str) -> Page:
        """Return the next page. Raises: ReadFailed."""
        with _translated():
            answer = self._client.get_records(
                ShardIterator=iterator, Limit=self._limit, StreamARN=self._arn
            )
        records = [_record(record) for record in answer["Records"]]
        if records:
            self._limit = next_limit(len(records), sum(len(record.data) for record in records))
        return Page(records, answer.get("NextShardIterator"), answer.get("MillisBehindLatest", 0))


def next_limit(count: int, data_bytes: int) -> int:
    """Return how many records of the size just seen a page may hold, at least one."""
    return max(1, min(_MAX_RECORDS, _MAX_PAGE_BYTES * count // max(1, data_bytes)))


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ClientError as err:
        code = err.response["Error"]["Code"]
        raise ReadFailed(_FAULTS.get(code, ReadFault.UNAVAILABLE), str(err)) from err
    except BotoCoreError as err:
        raise ReadFailed(ReadFault.UNAVAILABLE, str(err)) from err


def _shard(shard: Mapping[str, Any]) -> Shard:
    parents = (shard.get("ParentShardId"), shard.get("AdjacentParentShardId"))
    return Shard(shard["ShardId"], tuple(parent for parent in parents if parent))


def _record(record: Mapping[str, Any]) -> StreamRecord:
    arrival = record["ApproximateArrivalTimestamp"].timestamp()
    return StreamRecord(record["SequenceNumber"], record["PartitionKey"], record["Data"], arrival)
