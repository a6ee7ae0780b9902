"""Kinesis: the throughput of a shard, so that producers meet its limits before AWS does.

Writes 1,000 records and 1 MB a second; reads 5 calls and 2 MB a second, and after a read of up to
10 MB none until that is paid off. Off unless the engine is started with shard limits.
https://docs.aws.amazon.com/streams/latest/dev/service-sizes-and-limits.html
https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html
"""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from millrace_local.shims.patching import attribute, replace

Response = tuple[int, dict[str, str], bytes]
Handler = Callable[[dict[str, Any]], Response]
Clock = Callable[[], float]
Route = Callable[[dict[str, Any], dict[str, Any]], str]

MB = 1024 * 1024
EXCEEDED = "ProvisionedThroughputExceededException"
_KINESIS = "services.kinesis"


class Bucket:
    """A token bucket that holds one second's worth."""

    def __init__(self, per_second: float, now: float) -> None:
        """Begin full."""
        self._rate = per_second
        self._tokens = per_second
        self._at = now

    def has(self, amount: float, now: float) -> bool:
        """Tell whether so much is left, or the bucket is full and could never hold more."""
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return self._tokens >= min(amount, self._rate)

    def take(self, amount: float) -> None:
        """Take so much, into debt if need be."""
        self._tokens -= amount


class ShardLimits:
    """The buckets of every shard."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        """Refill by the clock."""
        self._clock = clock
        self._buckets: dict[tuple[str, str, str], Bucket] = {}

    def admits_write(self, stream_arn: str, shard_id: str, size: int) -> bool:
        """Take one record of so many bytes, key included, if the shard has room for it."""
        return self._admits(stream_arn, shard_id, (("records", 1_000, 1), ("in", MB, size)))

    def admits_read(self, stream_arn: str, shard_id: str) -> bool:
        """Take one GetRecords call if the shard has room for it; see `was_read`."""
        return self._admits(stream_arn, shard_id, (("calls", 5, 1), ("out", 2 * MB, 0)))

    def was_read(self, stream_arn: str, shard_id: str, size: int) -> None:
        """Charge what a read returned; the next ones wait until it is paid off."""
        self._bucket(stream_arn, shard_id, "out", 2 * MB).take(size)

    def _admits(
        self, arn: str, shard_id: str, wanted: tuple[tuple[str, float, float], ...]
    ) -> bool:
        now = self._clock()
        buckets = [(self._bucket(arn, shard_id, name, rate), n) for name, rate, n in wanted]
        if not all(bucket.has(amount, now) for bucket, amount in buckets):
            return False
        for bucket, amount in buckets:
            bucket.take(amount)
        return True

    def _bucket(self, arn: str, shard_id: str, name: str, rate: float) -> Bucket:
        return self._buckets.setdefault((arn, shard_id, name), Bucket(rate, self._clock()))


def enforce() -> None:
    """Put the limits before PutRecord, PutRecords and GetRecords."""
    limits = ShardLimits()
    find = attribute(_KINESIS, "_resolve_stream")

    def shard_of(stream: dict[str, Any], record: dict[str, Any]) -> str:
        explicit = record.get("ExplicitHashKey")
        hashed = attribute(_KINESIS, "_partition_key_to_hash")
        number = int(explicit) if explicit else hashed(record.get("PartitionKey", ""))
        shard_id: str = attribute(_KINESIS, "_route_to_shard")(number, stream)
        return shard_id

    put_one = attribute(_KINESIS, "_put_record")
    put_many = attribute(_KINESIS, "_put_records")
    get = attribute(_KINESIS, "_get_records")
    iterators = attribute(_KINESIS, "_shard_iterators")
    replace(_KINESIS, "_put_record", limited_put(put_one, find, shard_of, limits))
    replace(_KINESIS, "_put_records", limited_puts(put_many, find, shard_of, limits))
    replace(_KINESIS, "_get_records", limited_get(get, iterators, limits))


def limited_put(
    put: Handler, find: Callable[..., Any], shard_of: Route, limits: ShardLimits
) -> Handler:
    """Return a PutRecord that is refused where its shard has no room."""

    def put_record(data: dict[str, Any]) -> Response:
        _, stream = find(data)
        if stream is None:
            return put(data)
        shard_id = shard_of(stream, data)
        if limits.admits_write(stream["StreamARN"], shard_id, _size(data)):
            return put(data)
        return _refused(shard_id, stream)

    return put_record


def limited_puts(
    put: Handler, find: Callable[..., Any], shard_of: Route, limits: ShardLimits
) -> Handler:
    """Return a PutRecords that refuses record by record; the others are put."""

    def put_records(data: dict[str, Any]) -> Response:
        _, stream = find(data)
        if stream is None:
            return put(data)
        records = data.get("Records", [])
        shard_ids = [shard_of(stream, record) for record in records]
        admitted = [
            limits.admits_write(stream["StreamARN"], shard_id, _size(record))
            for shard_id, record in zip(shard_ids, records, strict=True)
        ]
        if all(admitted):
            return put(data)
        kept = [record for record, ok in zip(records, admitted, strict=True) if ok]
        status, headers, body = put({**data, "Records": kept})
        if status != 200:
            return status, headers, body
        answer = json.loads(body)
        answered = iter(answer["Records"])
        answer["Records"] = [
            next(answered)
            if ok
            else {"ErrorCode": EXCEEDED, "ErrorMessage": _told(shard_id, stream)}
            for shard_id, ok in zip(shard_ids, admitted, strict=True)
        ]
        answer["FailedRecordCount"] = admitted.count(False)
        return status, headers, json.dumps(answer).encode()

    return put_records


def limited_get(get: Handler, iterators: Any, limits: ShardLimits) -> Handler:  # noqa: ANN401
    """Return a GetRecords that is refused while its shard has been read too much."""

    def get_records(data: dict[str, Any]) -> Response:
        state = iterators.get(data.get("ShardIterator"))
        if not state:
            return get(data)
        arn, shard_id = state["stream_arn"], state["shard_id"]
        if not limits.admits_read(arn, shard_id):
            return _refused(shard_id, {"StreamName": state["stream"], "StreamARN": arn})
        status, headers, body = get(data)
        if status == 200:
            size = sum(len(record["Data"]) * 3 // 4 for record in json.loads(body)["Records"])
            limits.was_read(arn, shard_id, size)
        return status, headers, body

    return get_records


def _size(record: dict[str, Any]) -> int:
    data = record.get("Data") or ""
    return len(base64.b64decode(data)) + len(record.get("PartitionKey", "").encode())


def _told(shard_id: str, stream: dict[str, Any]) -> str:
    account = stream["StreamARN"].split(":")[4]
    name = stream["StreamName"]
    return f"Rate exceeded for shard {shard_id} in stream {name} under account {account}."


def _refused(shard_id: str, stream: dict[str, Any]) -> Response:
    body = {"__type": EXCEEDED, "message": _told(shard_id, stream)}
    return 400, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(body).encode()
