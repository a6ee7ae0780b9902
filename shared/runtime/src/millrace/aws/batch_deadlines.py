"""How long the open discarded batches of a deployment can still be repaired."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from millrace.aws.errors import code_of, translated
from millrace.discarded.batch import DiscardedBatch, State
from millrace.discarded.deadline import Deadline, Keeping, deadline_of, most_urgent_first

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient
    from types_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class BatchDeadlines:
    """Reads them; may block, raise RetryableError or ConfigError."""

    kinesis: "KinesisClient"
    s3: "S3Client"
    stream_arn: str
    incarnation: str
    data_bucket: str
    duplicates: timedelta
    """How long the gate knows an event."""

    def of(
        self, batches: Iterable[DiscardedBatch], now: datetime
    ) -> list[tuple[DiscardedBatch, Deadline]]:
        """Return the batches with their deadlines, what is most urgent first."""
        keeping = self._keeping()
        return most_urgent_first(
            (each, deadline_of(each, keeping, now, has_payload=self._has_payload(each)))
            for each in batches
        )

    def _keeping(self) -> Keeping:
        with translated("DescribeStreamSummary"):
            summary = self.kinesis.describe_stream_summary(StreamARN=self.stream_arn)
        hours = summary["StreamDescriptionSummary"]["RetentionPeriodHours"]
        return Keeping(self.incarnation, timedelta(hours=hours), self.duplicates)

    def _has_payload(self, batch: DiscardedBatch) -> bool:
        if batch.state is not State.OPEN or batch.payload_key is None:
            return False
        with translated("HeadObject"):
            try:
                self.s3.head_object(Bucket=self.data_bucket, Key=batch.payload_key)
            except ClientError as err:
                if code_of(err) in {"404", "NoSuchKey", "NotFound"}:
                    return False
                raise
        return True
