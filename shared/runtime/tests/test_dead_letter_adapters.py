"""Dead letters and notes: the fakes and AWS's, under one contract."""

import boto3
import pytest
from botocore.stub import Stubber

from millrace.aws import dead_letters
from millrace.aws.dead_letters import DynamoNotes, SqsDeadLetters, SqsMoveTasks
from millrace.dlq.letter import CANARY_ATTRIBUTE
from millrace.dlq.ports import MoveTask, TaskState
from millrace.errors import ConfigError
from millrace_testing.builders import ARRIVAL
from millrace_testing.contracts.dead_letters import NOTE, DeadLettersContract, NotesContract
from millrace_testing.dead_letters import FakeDeadLetters, FakeNotes
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import NOTES, create_table

BODIES = [f"message {number}" for number in range(12)]
DLQ_ARN = "arn:aws:sqs:us-east-1:123456789012:test-aggregate-dlq"


@pytest.fixture
def account(aws, monkeypatch):
    """An account on moto."""
    monkeypatch.setattr(dead_letters, "LONG_POLL_S", 0)  # moto knows at once what is there


@pytest.fixture
def sqs_letters(account) -> SqsDeadLetters:
    """A queue, and a dead-letter queue that holds twelve messages."""
    client = boto3.client("sqs")
    source, dead = (
        client.create_queue(QueueName=name)["QueueUrl"]
        for name in ("test-aggregate", "test-aggregate-dlq")
    )
    for body in BODIES:
        client.send_message(
            QueueUrl=dead,
            MessageBody=body,
            MessageAttributes={
                "who": {"DataType": "String", "StringValue": "somebody"},
                CANARY_ATTRIBUTE: {"DataType": "String", "StringValue": "an earlier one"},
            },
        )
    return SqsDeadLetters(client, source, dead)


class TestSqsDeadLetters(DeadLettersContract):
    """SQS's."""

    @pytest.fixture
    def letters(self, sqs_letters):
        return sqs_letters


class TestFakeDeadLetters(DeadLettersContract):
    """The tests'."""

    @pytest.fixture
    def letters(self):
        fake = FakeDeadLetters(FixedClock(ARRIVAL))
        for body in BODIES:
            fake.put(body)
        return fake


class TestDynamoNotes(NotesContract):
    """DynamoDB's."""

    @pytest.fixture
    def notes(self, account):
        client = boto3.client("dynamodb")
        create_table(client, "notes", NOTES)
        return DynamoNotes(client, "notes")


class TestFakeNotes(NotesContract):
    """The tests'."""

    @pytest.fixture
    def notes(self):
        return FakeNotes()


def test_a_message_goes_back_with_its_attributes(sqs_letters):
    """Body and attributes as they were; of an earlier canary nothing, of this one its name."""
    found = [*sqs_letters.receive(10, 60), *sqs_letters.receive(10, 60)]
    sqs_letters.send_back(found[:1], "the-canary")
    sqs_letters.send_back(found[1:])
    client, received = boto3.client("sqs"), []
    url = client.get_queue_url(QueueName=sqs_letters.queue)["QueueUrl"]
    while messages := client.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages"):
        received += messages
    canaries = {
        each["Body"]: each["MessageAttributes"].pop(CANARY_ATTRIBUTE, {}).get("StringValue")
        for each in received
    }
    assert canaries == dict.fromkeys(BODIES) | {found[0].body: "the-canary"}
    assert {each["MessageAttributes"]["who"]["StringValue"] for each in received} == {"somebody"}


def test_large_messages_travel_in_several_batches(sqs_letters):
    """A batch is as large as a message may be: five of 300 KB are two batches."""
    client = boto3.client("sqs")
    url = client.get_queue_url(QueueName=sqs_letters.queue)["QueueUrl"]
    sizes = []
    client.meta.events.register(
        "provide-client-params.sqs.SendMessageBatch",
        lambda params, **_: sizes.append(len(params["Entries"])),
    )
    (letter,) = sqs_letters.receive(1, 60)
    large = type(letter)(letter.message_id, "", "x" * 300_000, letter.sent_at, 1)
    SqsDeadLetters(client, url, url).send_back([large] * 5)
    assert sizes == [3, 2]


def test_notes_that_cannot_be_kept_say_so(account):
    """A table that is not there is the deployment's fault."""
    with pytest.raises(ConfigError, match="notes"):
        DynamoNotes(boto3.client("dynamodb"), "nowhere").write([NOTE])


def test_move_tasks_speak_as_sqs_does(account):
    """Start at SQS's fastest at most, follow, cancel.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ListMessageMoveTasks.html
    """
    client = boto3.client("sqs")
    tasks = SqsMoveTasks(client, DLQ_ARN)
    running = {
        "TaskHandle": "handle",
        "Status": "RUNNING",
        "ApproximateNumberOfMessagesMoved": 7,
        "ApproximateNumberOfMessagesToMove": 20,
    }
    listed = {"SourceArn": DLQ_ARN, "MaxResults": 1}
    with Stubber(client) as sqs:
        sqs.add_response("list_message_move_tasks", {"Results": []}, listed)
        started = {"SourceArn": DLQ_ARN, "MaxNumberOfMessagesPerSecond": 500}
        sqs.add_response("start_message_move_task", {"TaskHandle": "handle"}, started)
        sqs.add_response("list_message_move_tasks", {"Results": [running]}, listed)
        cancelled = {"ApproximateNumberOfMessagesMoved": 7}
        sqs.add_response("cancel_message_move_task", cancelled, {"TaskHandle": "handle"})
        assert tasks.latest() is None
        tasks.start(10_000)
        assert tasks.latest() == MoveTask(TaskState.RUNNING, 7, 20, "handle")
        tasks.cancel("handle")
        sqs.assert_no_pending_responses()
