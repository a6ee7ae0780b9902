"""A range of the stream, read again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from ingest.domain.records import StreamRecord
from millrace.aws.errors import code_of, translated
from millrace.commit import SeqRange
from millrace.times import to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

# The shard is gone with all that it held, or it does not know the number any more.
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
_DROPPED = frozenset({"ResourceNotFoundException", "InvalidArgumentException"})


class KinesisRange:
    """`ingest.ports.StreamRange` on GetRecords."""

    def __init__(self, client: "KinesisClient", stream_arn: str) -> None:
        self._client = client
        self._stream_arn = stream_arn

    def records(self, shard_id: str, within: SeqRange) -> Sequence[StreamRecord]:
        """Return the records of the range that the stream still holds, in order.

        An empty answer may still have records behind it; it then says how far behind it is:
        https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
        """
        found: list[StreamRecord] = []
        iterator = self._iterator(shard_id, within.first)
        while iterator:
            with translated("GetRecords"):
                answer = self._client.get_records(
                    ShardIterator=iterator, StreamARN=self._stream_arn
                )
            for each in answer["Records"]:
                seq = int(each["SequenceNumber"])
                if seq > within.last:
                    return found
                if seq >= within.first:
                    arrival_ms = to_epoch_ms(each["ApproximateArrivalTimestamp"])
                    found.append(StreamRecord(seq, arrival_ms, each["Data"]))
            at_tip = not answer["Records"] and not answer.get("MillisBehindLatest")
            whole = bool(found) and found[-1].seq == within.last
            iterator = "" if at_tip or whole else answer.get("NextShardIterator", "")
        return found

    def _iterator(self, shard_id: str, first: int) -> str:
        with translated("GetShardIterator"):
            try:
                return self._client.get_shard_iterator(
                    StreamARN=self._stream_arn,
                    ShardId=shard_id,
                    ShardIteratorType="AT_SEQUENCE_NUMBER",
                    StartingSequenceNumber=str(first),
                )["ShardIterator"]
            except ClientError as err:
                if code_of(err) in _DROPPED:
                    return ""
                raise
