"""Sending to one SQS queue."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from millrace.aws.errors import translated
from millrace.errors import RetryableError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType


class SqsQueue:
    """`millrace.ports.MessageQueue` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str) -> None:
        self._client = client
        self._queue_url = queue_url

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """Send one message; when this returns, the queue has it (at least once).

        delay_s: how long nobody receives it, at most 900.
        """
        with translated("SendMessage"):
            self._client.send_message(
                QueueUrl=self._queue_url, MessageBody=body, DelaySeconds=delay_s
            )


class SqsBatches:
    """`millrace.replay.ports.ReplayQueue`: up to ten messages a call.

    SendMessageBatch answers for each message by itself; those that failed are sent again:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
    """

    def __init__(
        self, client: "SQSClient", queue_url: str, sleep: Callable[[float], None] = nap
    ) -> None:
        self._client = client
        self._queue_url = queue_url
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(5),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            retry=retry_if_exception_type(_SomeRefused),
            reraise=True,
        )

    def send_all(self, bodies: Sequence[str]) -> None:
        """Send at most ten; when this returns, the queue has all of them (at least once)."""
        left = list(bodies)

        def send_the_rest() -> None:
            nonlocal left
            left = self._refused(left)
            if left:
                raise _SomeRefused(f"SQS did not take {len(left)} of {len(bodies)} messages")

        self._retrying(send_the_rest)

    def _refused(self, bodies: list[str]) -> list[str]:
        with translated("SendMessageBatch"):
            answer = self._client.send_message_batch(
                QueueUrl=self._queue_url,
                Entries=[
                    {"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)
                ],
            )
        return [bodies[int(failed["Id"])] for failed in answer.get("Failed", [])]

    def backlog(self) -> int:
        """Return about how many messages wait, those in flight included."""
        names: Sequence[QueueAttributeNameType] = (
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        )
        with translated("GetQueueAttributes"):
            answer = self._client.get_queue_attributes(
                QueueUrl=self._queue_url, AttributeNames=list(names)
            )
        return sum(int(answer["Attributes"][name]) for name in names)


class _SomeRefused(RetryableError):
    """Some messages of a batch were not taken."""
