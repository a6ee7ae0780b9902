"""Enrich's own adapter: object metadata on S3."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from millrace.aws.errors import code_of, translated
from millrace.aws.objects import S3Objects
from millrace.errors import ObjectMissing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


class S3StampedObjects(S3Objects):
    """`enrich.ports.StampedObjects` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        super().__init__(client, bucket)
        self._s3 = client
        self._data_bucket = bucket

    def metadata_of(self, key: str) -> Mapping[str, str]:
        """Return the object's metadata; raise ObjectMissing if there is no object.

        HeadObject asks for s3:GetObject, and names a missing object by the bare status, 404:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        with translated(f"HeadObject {key}"):
            try:
                return self._s3.head_object(Bucket=self._data_bucket, Key=key)["Metadata"]
            except ClientError as err:
                if code_of(err) in {"404", "NoSuchKey"}:
                    raise ObjectMissing(key) from err
                raise
