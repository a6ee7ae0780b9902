"""Sending ten at a time to SQS, and how much waits there."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.errors import ConfigError, RetryableError


@pytest.fixture
def sqs(aws) -> Any:
    return boto3.client("sqs")


@pytest.fixture
def queue_url(sqs) -> str:
    url: str = sqs.create_queue(QueueName="replay")["QueueUrl"]
    return url


class Refusing:
    """A client that does not take some messages of each call, and says so, as SQS does."""

    def __init__(self, inner: Any, times: int) -> None:
        self._inner = inner
        self.left = times
        self.calls: list[int] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, str]]) -> Any:  # noqa: N803
        self.calls.append(len(Entries))
        if not self.left:
            return self._inner.send_message_batch(QueueUrl=QueueUrl, Entries=Entries)
        self.left -= 1
        half = len(Entries) // 2
        taken, refused = Entries[:half], Entries[half:]
        if taken:
            self._inner.send_message_batch(QueueUrl=QueueUrl, Entries=taken)
        failed = [
            {"Id": each["Id"], "SenderFault": False, "Code": "InternalError"} for each in refused
        ]
        return {"Failed": failed}


def received(sqs, queue_url) -> list[str]:
    bodies: list[str] = []
    while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get(
        "Messages"
    ):
        bodies += [each["Body"] for each in messages]
    return bodies


def test_all_are_sent(sqs, queue_url):
    """In one call; what waits is counted, in flight too."""
    queue = SqsBatches(sqs, queue_url)
    assert queue.backlog() == 0
    queue.send_all([f"m-{n}" for n in range(10)])
    assert queue.backlog() == 10
    sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=4)
    assert queue.backlog() == 10
    assert len(received(sqs, queue_url)) == 6


def test_what_was_refused_is_sent_again(sqs, queue_url):
    """And nothing else: what the queue has it does not get twice."""
    waits: list[float] = []
    client = Refusing(sqs, 2)
    SqsBatches(client, queue_url, waits.append).send_all([f"m-{n}" for n in range(10)])
    assert client.calls == [10, 5, 3]
    assert sorted(received(sqs, queue_url)) == sorted(f"m-{n}" for n in range(10))
    assert len(waits) == 2


def test_what_is_refused_for_good_is_an_error(sqs, queue_url):
    """After some attempts, so that the caller sends from its checkpoint later."""
    client = Refusing(sqs, 99)
    with pytest.raises(RetryableError, match="did not take"):
        SqsBatches(client, queue_url, lambda _: None).send_all([f"m-{n}" for n in range(10)])
    assert len(client.calls) == 5


def test_a_queue_that_is_not_there_is_no_passing_fault(sqs, queue_url):
    """It is the setting that is wrong."""
    for act in (lambda q: q.send_all(["m"]), lambda q: q.backlog()):
        with pytest.raises(ConfigError, match=r"NonExistentQueue|QueueDoesNotExist"):
            act(SqsBatches(sqs, f"{queue_url}-none"))


def test_a_throttled_call_may_pass_later(queue_url):
    """It is the caller's to try again."""

    class Throttled:
        def send_message_batch(self, **_: object) -> None:
            raise ClientError({"Error": {"Code": "RequestThrottled"}}, "SendMessageBatch")

    with pytest.raises(RetryableError, match="RequestThrottled"):
        SqsBatches(Throttled(), queue_url, lambda _: None).send_all(["m"])


def test_a_delayed_message_is_not_there_yet(sqs, queue_url):
    """The worker looks again later, not at once."""
    queue = SqsQueue(sqs, queue_url)
    queue.send("later", delay_s=900)
    assert received(sqs, queue_url) == []
    queue.send("now")
    assert received(sqs, queue_url) == ["now"]
