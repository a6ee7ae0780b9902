"""Clients' files on S3: of any size, each written only over the version that was looked at.

If-Match and If-None-Match make S3 itself refuse a writer that something overtook, also when a
multipart upload completes:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from export.domain.files import Place
from export.ports import Overtaken, UploadFailed, Written
from millrace.aws.errors import code_of, translated
from millrace.errors import RetryableError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# A part has at least 5 MiB, an upload at most 10,000 parts: files of up to 48 GiB.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
PART_BYTES = 5 * 1024 * 1024
_DIGEST = "digest"
# Of a conditional write that lost, or whose first answer was lost and whose repetition found its
# own work done.
_LOST = frozenset(
    {"PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey", "NoSuchUpload", "412", "404"}
)


class S3ClientFiles:
    """`export.ports.ClientFiles` on S3."""

    def __init__(self, client: "S3Client", part_bytes: int = PART_BYTES) -> None:
        self._client = client
        self._part_bytes = part_bytes

    def version(self, bucket: str, key: str) -> str | None:
        """Return the object's ETag; None if there is no object."""
        found = self._head(bucket, key)
        return None if found is None else found["ETag"]

    def write(
        self, place: Place, base: str | None, digest: str, chunks: Iterable[bytes]
    ) -> Written:
        """Write the file over `base`, in one request if it is small; raise Overtaken if it lost."""
        target: dict[str, Any] = {"Bucket": place.bucket, "Key": place.key}
        about: dict[str, Any] = {
            "ContentType": place.form.content_type,
            "Metadata": {_DIGEST: digest},
        }
        counted = _Counted(chunks)
        parts = _parts(counted, self._part_bytes)
        first = next(parts, b"")
        with self._unless_overtaken(place.bucket, place.key, digest):
            if len(first) < self._part_bytes:
                self._client.put_object(**target, **about, **_over(base), Body=first)
            else:
                self._upload(target, about, base, first, parts)
        return Written(counted.size_bytes, counted.sha256)

    def write_manifest(self, bucket: str, key: str, base: str | None, body: bytes) -> None:
        """Write a manifest over `base`; raise Overtaken if it lost."""
        digest = sha256(body).hexdigest()
        with self._unless_overtaken(bucket, key, digest):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=body,
                ContentType="application/json",
                Metadata={_DIGEST: digest},
                **_over(base),
            )

    def _upload(
        self,
        target: dict[str, Any],
        about: dict[str, Any],
        base: str | None,
        first: bytes,
        rest: Iterator[bytes],
    ) -> None:
        upload_id = self._client.create_multipart_upload(**target, **about)["UploadId"]
        done: list[Any] = []

        def put(body: bytes) -> None:
            number = len(done) + 1
            answer = self._client.upload_part(
                **target, UploadId=upload_id, PartNumber=number, Body=body
            )
            done.append({"PartNumber": number, "ETag": answer["ETag"]})

        try:
            put(first)
            del first
            for body in rest:
                put(body)
            self._client.complete_multipart_upload(
                **target, UploadId=upload_id, MultipartUpload={"Parts": done}, **_over(base)
            )
        except Exception:
            # Parts that stay behind after a crash are the bucket's lifecycle's to remove.
            with suppress(ClientError):
                self._client.abort_multipart_upload(**target, UploadId=upload_id)
            raise

    @contextmanager
    def _unless_overtaken(self, bucket: str, key: str, digest: str) -> Iterator[None]:
        """Let a lost write pass if what is there now is what was to be written."""
        try:
            with translated(f"PutObject {key}"):
                yield
        except RetryableError as err:
            if not isinstance(err.__cause__, ClientError) or code_of(err.__cause__) not in _LOST:
                raise UploadFailed(str(err)) from err
            found = self._head(bucket, key)
            if found is None or found["Metadata"].get(_DIGEST) != digest:
                raise Overtaken(f"another export changed {key} meanwhile") from err

    def _head(self, bucket: str, key: str) -> Any:  # noqa: ANN401 - boto3's answer
        with translated(f"HeadObject {key}"):
            try:
                return self._client.head_object(Bucket=bucket, Key=key)
            except ClientError as err:
                if code_of(err) in ("404", "NoSuchKey", "NotFound"):
                    return None
                raise


class _Counted:
    """Chunks, counted and hashed as they pass."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks
        self._hash = sha256()
        self.size_bytes = 0

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks:
            self._hash.update(chunk)
            self.size_bytes += len(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()


def _parts(chunks: Iterable[bytes], part_bytes: int) -> Iterator[bytes]:
    """Yield `chunks` in pieces of `part_bytes`, the last one shorter."""
    waiting = bytearray()
    for chunk in chunks:
        view = memoryview(chunk)
        while view:
            room = part_bytes - len(waiting)
            waiting += view[:room]
            view = view[room:]
            if len(waiting) == part_bytes:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)


def _over(base: str | None) -> dict[str, Any]:
    return {"IfNoneMatch": "*"} if base is None else {"IfMatch": base}
