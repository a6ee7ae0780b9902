"""Every AWS client of the command, and AWS's errors in the user's words: one place for both."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    PartialCredentialsError,
)

from millrace.errors import ConfigError, RetryableError
from millrace_cli.errors import CommandError

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

_LONGEST_INVOCATION_S = 900
_MISSING = frozenset(
    {"NoSuchBucket", "ResourceNotFoundException", "AWS.SimpleQueueService.NonExistentQueue"}
)
_REFUSED = re.compile(r"not authorized to perform: ([A-Za-z0-9-]+:[A-Za-z0-9]+)")
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html"""
_FORBIDDEN = frozenset(
    {"AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException",
     "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClientException"}
)  # fmt: skip


class Clients:
    """The clients of one environment, made by `make(service, retries=..., connect_timeout=...)`."""

    def __init__(
        self, make: Callable[..., Any], credentials: Callable[[], Credentials | None]
    ) -> None:
        self._make = make
        self.credentials = credentials
        """Finds the credentials to sign with what is no AWS client's; None if there are none."""

    @classmethod
    def on_aws(cls, region: str) -> "Clients":
        """Return clients that find credentials as every AWS tool does."""

        def make(service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3's are dynamic
            session: Any = boto3.session.Session(region_name=region)
            return session.client(service, config=Config(**options))

        return cls(make, boto3.session.Session(region_name=region).get_credentials)

    @staticmethod
    def account() -> str:
        """Return the account of the credentials that AWS tools find here."""
        config = Config(connect_timeout=5, read_timeout=10, retries={"max_attempts": 1})
        # Any region's STS knows the account; without one boto3 would not know which to ask.
        region = boto3.session.Session().region_name or "us-east-1"
        sts = boto3.client("sts", region_name=region, config=config)
        return str(sts.get_caller_identity()["Account"])

    def kinesis(self) -> "KinesisClient":
        """Return a Kinesis client."""
        client: KinesisClient = self._client("kinesis")
        return client

    def dynamodb(self) -> "DynamoDBClient":
        """Return a DynamoDB client."""
        client: DynamoDBClient = self._client("dynamodb")
        return client

    def s3(self) -> "S3Client":
        """Return an S3 client."""
        client: S3Client = self._client("s3")
        return client

    def sqs(self) -> "SQSClient":
        """Return an SQS client."""
        client: SQSClient = self._client("sqs")
        return client

    def metrics(self) -> "CloudWatchClient":
        """Return a CloudWatch client."""
        client: CloudWatchClient = self._client("cloudwatch")
        return client

    def rules(self) -> Any:  # noqa: ANN401 - one call is made with it, not worth its stubs
        """Return an EventBridge client."""
        return self._client("events")

    def functions(self) -> "LambdaClient":
        """Return a Lambda client that waits as long as a function may run, and asks once."""
        client: LambdaClient = self._make(
            "lambda",
            retries={"mode": "standard", "max_attempts": 1},
            connect_timeout=5,
            read_timeout=_LONGEST_INVOCATION_S + 10,
        )
        return client

    def _client(self, service: str) -> Any:  # noqa: ANN401 - boto3's clients have no common type
        retries = {"mode": "standard", "max_attempts": 4}
        return self._make(service, retries=retries, connect_timeout=5)


def code_of(err: ClientError) -> str:
    """Return the service's error code."""
    return str(err.response.get("Error", {}).get("Code", ""))


def as_command_error(err: Exception, intent: str) -> CommandError:
    """Return what AWS raised while we tried to `intent`, with what to do about it."""
    problem = f"cannot {intent}"
    if isinstance(err, NoCredentialsError | PartialCredentialsError):
        return CommandError(
            f"{problem}: no AWS credentials", "set AWS_PROFILE, or log in with `aws sso login`"
        )
    if isinstance(err, EndpointConnectionError):
        return CommandError(
            f"{problem}: nothing answers at {err.kwargs.get('endpoint_url')}",
            "start the local engine with `make run`",
        )
    code = code_of(err) if isinstance(err, ClientError) else type(err).__name__
    if code in _MISSING:
        return CommandError(f"{problem}: it is not there ({code})", "deploy first: `make run`")
    if code in _FORBIDDEN:
        action = _REFUSED.search(str(err))
        what = f"{action[1]}: {code}" if action else code
        return CommandError(f"{problem}: not allowed ({what})", "check the credentials' rights")
    return CommandError(f"{problem}: {' '.join(str(err).split())}", "try again")


@contextmanager
def explained(intent: str) -> Iterator[None]:
    """Turn what AWS raises inside the block into a CommandError.

    Raises:
        CommandError: always, in place of an AWS error.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as err:
        raise as_command_error(err, intent) from err
    except (ConfigError, RetryableError) as err:
        cause = err.__cause__
        known = cause if isinstance(cause, ClientError | BotoCoreError) else err
        raise as_command_error(known, intent) from err
