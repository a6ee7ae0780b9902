"""Sending to one SQS queue."""

from typing import TYPE_CHECKING

from millrace.aws.errors import translated

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


class SqsQueue:
    """`millrace.ports.MessageQueue` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, body: str) -> None:
        """Send one message; when this returns, the queue has it (at least once)."""
        with translated("SendMessage"):
            self._client.send_message(QueueUrl=self._queue_url, MessageBody=body)
