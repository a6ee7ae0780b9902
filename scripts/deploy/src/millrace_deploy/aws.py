"""The few AWS calls that are not Terraform's: who am I, is the state bucket there, its objects."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from millrace_deploy.errors import DeployError

_MISSING = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})


def find_account(region: str) -> str:
    """Return the account of the credentials in use.

    Raises:
        DeployError: there are no credentials, or they are not valid.
    """
    with _explained("see whose credentials these are"):
        return str(_client("sts", region).get_caller_identity()["Account"])


def bucket_exists(bucket: str, region: str) -> bool:
    """Tell whether there is such a bucket.

    Raises:
        DeployError: it is not ours, or S3 cannot be asked.
    """
    with _explained(f"look at the bucket {bucket}"):
        return _found(_client("s3", region).head_bucket, Bucket=bucket) is not None


def etag(bucket: str, key: str, region: str) -> str | None:
    """Return what changes with every write of an object; None if there is no such object."""
    with _explained(f"look at s3://{bucket}/{key}"):
        answer = _found(_client("s3", region).head_object, Bucket=bucket, Key=key)
    return None if answer is None else str(answer["ETag"])


def download(bucket: str, key: str, region: str, file: Path) -> bool:
    """Copy an object to a file; return whether there was one."""
    with _explained(f"read s3://{bucket}/{key}"):
        answer = _found(_client("s3", region).get_object, Bucket=bucket, Key=key)
        if answer is None:
            return False
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(answer["Body"].read())
    return True


def upload(file: Path, bucket: str, key: str, region: str) -> None:
    """Copy a file to an object."""
    with _explained(f"write s3://{bucket}/{key}"):
        _client("s3", region).put_object(Bucket=bucket, Key=key, Body=file.read_bytes())


def _client(service: str, region: str) -> Any:  # noqa: ANN401 - boto3's are dynamic
    create: Any = boto3.session.Session().client  # a name that is not a literal has no overload
    return create(service, region_name=region)


def _found(call: Any, **arguments: str) -> Any:  # noqa: ANN401 - boto3's are dynamic
    """Return the answer; None if what was asked for is not there."""
    try:
        return call(**arguments)
    except ClientError as err:
        if str(err.response.get("Error", {}).get("Code")) in _MISSING:
            return None
        raise


@contextmanager
def _explained(intent: str) -> Iterator[None]:
    try:
        yield
    except NoCredentialsError as err:
        raise DeployError(
            f"cannot {intent}: there are no AWS credentials",
            "set AWS_PROFILE, or log in with `aws sso login`",
        ) from err
    except (ClientError, BotoCoreError) as err:
        raise DeployError(
            f"cannot {intent}: {' '.join(str(err).split())}",
            "check AWS_PROFILE and the rights of the credentials (docs/deploy.md)",
        ) from err
