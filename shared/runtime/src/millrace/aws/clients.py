"""boto3 clients with the timeouts and retries of a Lambda function."""

from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_kinesis import KinesisClient
    from types_boto3_lambda import LambdaClient
    from types_boto3_s3 import S3Client
    from types_boto3_sqs import SQSClient

# Standard mode retries throttles and 5xx with jitter, three calls in all:
# https://boto3.amazonaws.com/v1/documentation/api/latest/guide/retries.html
_CONFIG = Config(
    retries={"mode": "standard", "max_attempts": 3},
    connect_timeout=3,
    read_timeout=20,
    max_pool_connections=16,
)


def dynamodb_client() -> "DynamoDBClient":
    """Return a DynamoDB client for the environment's region and endpoint."""
    return boto3.client("dynamodb", config=_CONFIG)


def kinesis_client() -> "KinesisClient":
    """Return a Kinesis client for the environment's region and endpoint."""
    return boto3.client("kinesis", config=_CONFIG)


def sqs_client() -> "SQSClient":
    """Return an SQS client for the environment's region and endpoint."""
    return boto3.client("sqs", config=_CONFIG)


def s3_client() -> "S3Client":
    """Return an S3 client for the environment's region and endpoint."""
    return boto3.client("s3", config=_CONFIG)


def lambda_client() -> "LambdaClient":
    """Return a Lambda client for the environment's region and endpoint."""
    return boto3.client("lambda", config=_CONFIG)


def cloudwatch_client() -> "CloudWatchClient":
    """Return a CloudWatch client for the environment's region and endpoint."""
    return boto3.client("cloudwatch", config=_CONFIG)


def events_client() -> Any:  # noqa: ANN401 - one call is made with it, not worth its stubs
    """Return an EventBridge client for the environment's region and endpoint."""
    make: Any = boto3.client
    return make("events", config=_CONFIG)
