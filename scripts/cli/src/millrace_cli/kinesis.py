"""The Kinesis stream behind `millrace put`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from millrace_cli.aws import as_command_error, code_of
from millrace_cli.records import OutRecord
from millrace_cli.sending import Placed

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

# The request as a whole was refused for now; each of its records may be put again.
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecords.html#API_PutRecords_Errors
_PASSING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "KMSThrottlingException",
        "LimitExceededException",
        "InternalFailure",
        "InternalFailureException",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)


class KinesisStream:
    """`millrace_cli.sending.EventStream` on Kinesis."""

    def __init__(self, client: "KinesisClient", stream_arn: str) -> None:
        self._client = client
        self._stream_arn = stream_arn

    def put(self, records: Sequence[OutRecord]) -> Sequence[Placed | str]:
        """Put at most one batch; return for each record, in order, its place or its error code.

        Raises:
            CommandError: the stream is missing, forbidden or cannot be reached.
        """
        entries = [
            {"Data": record.data, "PartitionKey": record.partition_key} for record in records
        ]
        try:
            answer = self._client.put_records(Records=entries, StreamARN=self._stream_arn)  # type: ignore[arg-type]
        except ClientError as err:
            if code_of(err) in _PASSING:
                return [code_of(err)] * len(records)
            raise as_command_error(err, "put records on the stream") from err
        except BotoCoreError as err:
            raise as_command_error(err, "put records on the stream") from err
        return [
            entry.get("ErrorCode") or Placed(entry["ShardId"], int(entry["SequenceNumber"]))
            for entry in answer["Records"]
        ]
