"""Archive's own adapters: objects with metadata on S3, manifests on DynamoDB."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from archive.domain import ManifestRow
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import to_attributes
from millrace.aws.objects import S3Objects
from millrace.errors import ObjectMissing, RetryableError
from millrace.times import format_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import WriteRequestTypeDef
    from types_boto3_s3 import S3Client

ROWS_PER_WRITE = 25  # BatchWriteItem's limit
_WRITES = 8  # attempts at the rows of one call, about 10 s in all


class S3StampedObjects(S3Objects):
    """`archive.ports.StampedObjects` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        super().__init__(client, bucket)
        self._s3 = client
        self._data_bucket = bucket

    def get_stamped(self, key: str) -> tuple[bytes, Mapping[str, str]]:
        """Return the object's bytes and metadata; raise ObjectMissing if there is no object."""
        with translated(f"GetObject {key}"):
            try:
                answer = self._s3.get_object(Bucket=self._data_bucket, Key=key)
                return answer["Body"].read(), answer["Metadata"]
            except ClientError as err:
                if code_of(err) == "NoSuchKey":
                    raise ObjectMissing(key) from err
                raise


class DynamoManifests:
    """`archive.ports.Manifests`: one item an object, under its hour."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._table = table
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(_WRITES),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            retry=retry_if_result(bool),
        )

    def put(self, rows: Sequence[ManifestRow]) -> None:
        """Write the rows, over earlier ones; raise RetryableError if some stayed unwritten."""
        for chunk in _chunks(rows, ROWS_PER_WRITE):
            self._put(chunk)

    def _put(self, rows: Sequence[ManifestRow]) -> None:
        """Write one call's rows; what DynamoDB leaves unprocessed is written again, with jitter.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
        """
        left: list[WriteRequestTypeDef] = [{"PutRequest": {"Item": _item(row)}} for row in rows]

        def write() -> int:
            nonlocal left
            with translated("BatchWriteItem manifests"):
                answer: Any = self._client.batch_write_item(RequestItems={self._table: left})
            left = answer.get("UnprocessedItems", {}).get(self._table, [])
            return len(left)

        try:
            self._retrying(write)
        except RetryError as err:
            raise RetryableError(
                f"BatchWriteItem manifests: {len(left)} rows unwritten after {_WRITES} attempts"
            ) from err


def _chunks(rows: Sequence[ManifestRow], size: int) -> Iterator[Sequence[ManifestRow]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _item(row: ManifestRow) -> dict[str, Any]:
    return to_attributes(
        {
            "hour": row.hour,
            "object_key": row.object_key,
            "commit_id": row.commit_id,
            "events": row.events,
            "bytes": row.size_bytes,
            "first_event_time": format_ms(row.first_event_time),
            "last_event_time": format_ms(row.last_event_time),
            "input_hash": row.input_hash,
            "clients": row.clients,
            "written_at": format_ms(row.written_at),
        }
    )
