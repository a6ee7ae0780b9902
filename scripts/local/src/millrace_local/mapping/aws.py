"""Kinesis and Lambda of the local engine, and the translation of their errors."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from millrace_local.mapping.outcome import Answer
from millrace_local.mapping.records import StreamRecord
from millrace_local.mapping.settings import MappingSettings
from millrace_local.mapping.shard import Page, ShardEnded, Unavailable

_LONGEST_FUNCTION_S = 900
# What one GetRecords call returns at most; the engine knows only the first of the two limits.
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
_MAX_RECORDS = 10_000
_MAX_PAGE_BYTES = 10 * 1024 * 1024
_FIRST_PAGE = 1_000


class Aws:
    """Opens the streams and functions behind one endpoint."""

    def __init__(self, endpoint: str) -> None:
        """Connect to the endpoint with the process's credentials."""
        # No retries: the poller's own are the only ones, and an invocation must not be repeated.
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=_LONGEST_FUNCTION_S + 30,
            connect_timeout=5,
            max_pool_connections=128,
        )
        self._kinesis: Any = boto3.client("kinesis", endpoint_url=endpoint, config=config)
        self._lambda: Any = boto3.client("lambda", endpoint_url=endpoint, config=config)

    def mappings(self) -> Iterator[Mapping[str, Any]]:
        """Yield the enabled Kinesis mappings. Raises: Unavailable."""
        with _translated():
            for page in self._lambda.get_paginator("list_event_source_mappings").paginate():
                for mapping in page["EventSourceMappings"]:
                    is_kinesis = ":kinesis:" in (mapping.get("EventSourceArn") or "")
                    if is_kinesis and mapping.get("State") in ("Enabled", "Updating"):
                        yield mapping

    def role_of(self, function_arn: str) -> str:
        """Return the ARN of the function's role. Raises: Unavailable."""
        with _translated():
            role: str = self._lambda.get_function_configuration(FunctionName=function_arn)["Role"]
            return role

    def shards(self, stream_arn: str) -> list[str]:
        """Return the ids of the stream's shards. Raises: Unavailable."""
        with _translated():
            pages = self._kinesis.get_paginator("list_shards").paginate(StreamARN=stream_arn)
            return [shard["ShardId"] for page in pages for shard in page["Shards"]]

    def source(
        self, settings: MappingSettings, shard_id: str, position: str | None
    ) -> "KinesisShard":
        """Return a reader that begins after `position`, or at the mapping's starting position."""
        return KinesisShard(self._kinesis, settings, shard_id, position)

    def invoke(self, function_arn: str, payload: bytes) -> Answer:
        """Invoke the function and wait for its answer. Raises: Unavailable."""
        with _translated():
            try:
                response = self._lambda.invoke(FunctionName=function_arn, Payload=payload)
            except self._lambda.exceptions.ResourceNotFoundException as err:
                raise Unavailable(str(err)) from err  # the shard lives on without its function
            body = response["Payload"].read()
        if "FunctionError" not in response:
            return Answer(body)
        return Answer(body, _error(body))


class KinesisShard:
    """Reads one shard with GetRecords."""

    def __init__(
        self,
        kinesis: Any,  # noqa: ANN401 - a boto3 client
        settings: MappingSettings,
        shard_id: str,
        position: str | None,
    ) -> None:
        """Stand after `position`, or at the mapping's starting position."""
        self._kinesis = kinesis
        self._settings = settings
        self._shard_id = shard_id
        self._position = position
        self._iterator: str | None = None
        self._limit = _FIRST_PAGE

    def read(self) -> Page:
        """Return the next records. Raises: ShardEnded, Unavailable."""
        with _translated():
            self._iterator = self._iterator or self._open()
            try:
                answer = self._kinesis.get_records(
                    ShardIterator=self._iterator,
                    Limit=self._limit,
                    StreamARN=self._settings.stream_arn,
                )
            except (ClientError, BotoCoreError):
                self._iterator = None  # expired, perhaps: the position is what counts
                raise
        self._iterator = answer.get("NextShardIterator")
        records = [_record(record) for record in answer["Records"]]
        if records:
            self._position = records[-1].sequence
            self._limit = next_limit(len(records), sum(len(record.data) for record in records))
        if self._iterator is None and not records:
            raise ShardEnded(self._shard_id)
        return Page(records, answer.get("MillisBehindLatest", 0))

    def _open(self) -> str:
        start: dict[str, Any] = {"ShardIteratorType": self._settings.starting_position}
        if self._position is not None:
            start = {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": self._position,
            }
        elif self._settings.starting_position == "AT_TIMESTAMP":
            start["Timestamp"] = self._settings.starting_timestamp
        iterator: str = self._kinesis.get_shard_iterator(
            StreamARN=self._settings.stream_arn, ShardId=self._shard_id, **start
        )["ShardIterator"]
        return iterator


class _translated:  # noqa: N801 - reads as a verb where it is used
    """Turns errors of boto3 into those of `millrace_local.mapping.shard`."""

    def __enter__(self) -> None:
        """Nothing to set up."""

    def __exit__(self, _type: object, error: BaseException | None, _trace: object) -> None:
        """Translate the error, if it is one of boto3's."""
        if isinstance(error, ClientError):
            if error.response["Error"]["Code"] == "ResourceNotFoundException":
                raise ShardEnded(str(error)) from error
            raise Unavailable(str(error)) from error
        if isinstance(error, BotoCoreError):
            raise Unavailable(str(error)) from error


def next_limit(count: int, data_bytes: int) -> int:
    """Return how many records of the size just seen a page may hold, at least one."""
    return max(1, min(_MAX_RECORDS, _MAX_PAGE_BYTES * count // max(1, data_bytes)))


def _record(record: Mapping[str, Any]) -> StreamRecord:
    arrival = record["ApproximateArrivalTimestamp"].timestamp()
    return StreamRecord(record["SequenceNumber"], record["PartitionKey"], record["Data"], arrival)


def _error(body: bytes) -> str:
    """Return type and message of a function's error; its trace is in its log."""
    try:
        error = json.loads(body)
        return f"{error.get('errorType')}: {error.get('errorMessage')}"[:500]
    except (ValueError, AttributeError):
        return "unreadable error"
