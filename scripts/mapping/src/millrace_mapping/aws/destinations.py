"""On-failure destinations: metadata to a queue or topic, the whole event to a bucket.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
"""

import json
from typing import Any
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from millrace_mapping.aws.sessions import Sessions
from millrace_mapping.core.discards import Discard, object_key, with_payload
from millrace_mapping.core.settings import MappingSettings
from millrace_mapping.ports import Destination, NotDelivered


class QueueDestination:
    """Sends the document to an SQS queue."""

    def __init__(self, client: Any, queue_arn: str) -> None:  # noqa: ANN401 - a boto3 client
        """Send to the queue of that ARN."""
        self._client = client
        self._account, self._name = queue_arn.split(":")[4:6]

    def deliver(self, record: dict[str, Any], discard: Discard) -> None:
        """Send the document. Raises: NotDelivered."""
        del discard
        try:
            url = f"{self._client.meta.endpoint_url}/{self._account}/{self._name}"
            self._client.send_message(QueueUrl=url, MessageBody=json.dumps(record))
        except (ClientError, BotoCoreError) as err:
            raise NotDelivered(str(err)) from err


class TopicDestination:
    """Publishes the document on an SNS topic."""

    def __init__(self, client: Any, topic_arn: str) -> None:  # noqa: ANN401
        """Publish on the topic of that ARN."""
        self._client = client
        self._arn = topic_arn

    def deliver(self, record: dict[str, Any], discard: Discard) -> None:
        """Publish the document. Raises: NotDelivered."""
        del discard
        try:
            self._client.publish(TopicArn=self._arn, Message=json.dumps(record))
        except (ClientError, BotoCoreError) as err:
            raise NotDelivered(str(err)) from err


class BucketDestination:
    """Puts the document with the event into an S3 bucket."""

    def __init__(self, client: Any, bucket_arn: str, uuid: str) -> None:  # noqa: ANN401
        """Put under the mapping's prefix into the bucket of that ARN."""
        self._client = client
        self._bucket = bucket_arn.rpartition(":")[2]
        self._uuid = uuid

    def deliver(self, record: dict[str, Any], discard: Discard) -> None:
        """Put the object. Raises: NotDelivered."""
        key = object_key(discard, self._uuid, str(uuid4()))
        body = json.dumps(with_payload(record, discard)).encode()
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=body)
        except (ClientError, BotoCoreError) as err:
            raise NotDelivered(str(err)) from err


def destination_of(settings: MappingSettings, sessions: Sessions) -> Destination | None:
    """Return the mapping's destination, written to with the function's role; None without one."""
    arn = settings.destination_arn
    if arn is None:
        return None
    service = arn.split(":")[2]
    client = sessions.as_role(settings.role_arn, service)
    if service == "s3":
        return BucketDestination(client, arn, settings.uuid)
    return QueueDestination(client, arn) if service == "sqs" else TopicDestination(client, arn)
