"""Objects in one S3 bucket, written once."""

from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from millrace.aws.errors import code_of, translated
from millrace.errors import ObjectMissing

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import PutObjectRequestTypeDef


class S3Objects:
    """`millrace.ports.Objects` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> bool:
        """Write `body` under `key` if nothing is there; return whether this call wrote it.

        If-None-Match makes S3 itself refuse the second writer, with 412:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
        """
        request: PutObjectRequestTypeDef = {
            "Bucket": self._bucket,
            "Key": key,
            "Body": body,
            "IfNoneMatch": "*",
            "ContentType": "application/gzip" if key.endswith(".gz") else "text/plain",
            "Metadata": dict(metadata or {}),
        }
        if tags:  # an empty header would still ask for s3:PutObjectTagging
            request["Tagging"] = urlencode(dict(tags))
        with translated(f"PutObject {key}"):
            try:
                self._client.put_object(**request)
            except ClientError as err:
                if code_of(err) == "PreconditionFailed":
                    return False
                raise
        return True

    def get(self, key: str) -> bytes:
        """Return the object's bytes; raise ObjectMissing if there is none."""
        with translated(f"GetObject {key}"):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            except ClientError as err:
                raise _missing_or(err, key) from err

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`, fewer where the object ends.

        S3 answers a range that begins past the end with 416, InvalidRange:
        https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
        """
        span = f"bytes={offset}-{offset + length - 1}"
        with translated(f"GetObject {key} {span}"):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key, Range=span)
                return answer["Body"].read()
            except ClientError as err:
                if code_of(err) == "InvalidRange":
                    return b""
                raise _missing_or(err, key) from err


def _missing_or(err: ClientError, key: str) -> Exception:
    return ObjectMissing(key) if code_of(err) == "NoSuchKey" else err
