"""Archive's own adapters: objects with metadata on S3, manifests on DynamoDB."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity.nap import sleep as nap

from archive.domain import ManifestRow
from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import to_attributes
from millrace.aws.manifests import dirty_key
from millrace.aws.objects import S3Objects
from millrace.errors import ObjectMissing
from millrace.times import format_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client


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
        self._batches = TableBatches(client, table, sleep)

    def put(self, rows: Sequence[ManifestRow]) -> None:
        """Write the rows, over earlier ones; raise RetryableError if some stayed unwritten."""
        self._batches.write(map(_item, rows))


class DynamoDirtyHours:
    """`archive.ports.DirtyHours`: an item an hour, beside the manifests, with a token of its own.

    Export removes an item only if its token is still the one that it read before it read the rows.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        new_token: Callable[[], str],
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._batches = TableBatches(client, table, sleep)
        self._new_token = new_token

    def touch(self, hours: Iterable[str]) -> None:
        """Write a new token for each hour; raise RetryableError if some stayed unwritten."""
        self._batches.write(
            dirty_key(hour) | to_attributes({"token": self._new_token()}) for hour in sorted(hours)
        )


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
