"""The stream on Kinesis."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from tenacity import RetryError, Retrying, retry_if_result
from tenacity.stop import stop_before_delay
from tenacity.wait import wait_random_exponential

from ingest_api.domain.events import Record
from ingest_api.ports import PutResult
from millrace.aws.errors import translated
from millrace.errors import RetryableError

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
MAX_CALL_RECORDS = 500
MAX_CALL_BYTES = 10 * 1024 * 1024
UNANSWERED = "NoAnswer"

_CONNECT_S, _READ_S = 2, 5
LONGEST_CALL_S = _CONNECT_S + _READ_S


def kinesis_client() -> "KinesisClient":
    """Return a client whose calls end within LONGEST_CALL_S: a client waits, and we retry here."""
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 1},
        connect_timeout=_CONNECT_S,
        read_timeout=_READ_S,
    )
    return boto3.client("kinesis", config=config)


class KinesisStream:
    """`ingest_api.ports.Stream` on PutRecords.

    PutRecords may take some records and refuse others, and keeps no order among those of one call.
    """

    def __init__(self, client: "KinesisClient", stream_arn: str, max_wait_s: float = 2) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._wait = wait_random_exponential(multiplier=0.05, max=max_wait_s)

    def put(self, records: Sequence[Record], within_s: float) -> PutResult:
        """Put the records, and again those that failed, for about `within_s` seconds."""
        failed: dict[int, str] = dict.fromkeys(range(len(records)), "")
        put = 0

        def another_round() -> bool:
            nonlocal failed, put
            put += len(failed)
            again: dict[int, str] = {}
            for batch in _batches(records, failed):
                again |= self._put(records, batch)
            failed = again
            return bool(failed)

        retrying = Retrying(
            stop=stop_before_delay(within_s), wait=self._wait, retry=retry_if_result(bool)
        )
        with suppress(RetryError):  # what still failed is told item by item
            retrying(another_round)
        return PutResult(failed, put - len(records))

    def _put(self, records: Sequence[Record], batch: Sequence[int]) -> dict[int, str]:
        entries = [
            {"Data": records[index].data, "PartitionKey": records[index].partition_key}
            for index in batch
        ]
        try:
            with translated("PutRecords"):
                answer = self._client.put_records(Records=entries, StreamARN=self._stream_arn)  # type: ignore[arg-type]
        except RetryableError:
            return dict.fromkeys(batch, UNANSWERED)
        codes = (entry.get("ErrorCode") for entry in answer["Records"])
        return {index: code for index, code in zip(batch, codes, strict=True) if code}


def _batches(records: Sequence[Record], indexes: Mapping[int, str]) -> Iterator[list[int]]:
    """Yield the indexes in order, as many at once as one call takes."""
    batch: list[int] = []
    size = 0
    for index in indexes:
        more = records[index].size
        if batch and (len(batch) == MAX_CALL_RECORDS or size + more > MAX_CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(index)
        size += more
    if batch:
        yield batch
