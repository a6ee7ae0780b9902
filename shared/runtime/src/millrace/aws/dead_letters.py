"""A dead-letter queue on SQS, its move tasks, and the notes of why messages failed."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from millrace.aws.batches import ITEMS_PER_WRITE, TableBatches, chunked
from millrace.aws.clients import dynamodb_client
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.dlq.letter import CANARY_ATTRIBUTE, Letter
from millrace.dlq.notes import Note, Outcome
from millrace.dlq.ports import Depth, MoveTask, TaskState
from millrace.errors import RetryableError
from millrace.settings import ConsumerSettings
from millrace.times import format_ms, from_epoch_ms, parse_rfc3339, to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10
_BATCH_BYTES = 1024 * 1024  # a message and a batch alike
LONG_POLL_S = 1  # a short poll asks some of SQS's servers and may find none of a few messages
_MOVES_PER_S = 500  # StartMessageMoveTask's limit
_NOTE_TTL = timedelta(days=30)  # longer than any dead letter lives

T = TypeVar("T")


def queue_name(url: str) -> str:
    """Return the name of a queue from its URL."""
    return url.rpartition("/")[2]


class SqsDeadLetters:
    """`millrace.dlq.ports.DeadLetters` on SQS."""

    def __init__(self, client: "SQSClient", queue_url: str, dead_letter_url: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._url = dead_letter_url

    @property
    def queue(self) -> str:
        """Name of the queue on which the messages failed."""
        return queue_name(self._queue_url)

    def depth(self) -> Depth:
        """Return about how many messages there are."""
        with translated("GetQueueAttributes"):
            found = self._client.get_queue_attributes(
                QueueUrl=self._url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                    "MessageRetentionPeriod",
                ],
            )["Attributes"]
        return Depth(
            int(found["ApproximateNumberOfMessages"]),
            int(found["ApproximateNumberOfMessagesNotVisible"]),
            timedelta(seconds=int(found["MessageRetentionPeriod"])),
        )

    def receive(self, at_most: int, hold_s: int) -> Sequence[Letter]:
        """Return up to ten messages that nobody else receives for `hold_s`."""
        with translated("ReceiveMessage"):
            answer = self._client.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=min(at_most, _BATCH),
                VisibilityTimeout=hold_s,
                WaitTimeSeconds=LONG_POLL_S,
                MessageSystemAttributeNames=["SentTimestamp", "ApproximateReceiveCount"],
                MessageAttributeNames=["All"],
            )
        return [_letter_of(message) for message in answer.get("Messages", ())]

    def hold(self, letters: Sequence[Letter], hold_s: int) -> None:
        """Keep them from others for `hold_s` more, or give them back (0), as far as possible."""
        for some in chunked(letters, _BATCH):
            with translated("ChangeMessageVisibilityBatch"):
                self._client.change_message_visibility_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {
                            "Id": str(number),
                            "ReceiptHandle": each.receipt,
                            "VisibilityTimeout": hold_s,
                        }
                        for number, each in enumerate(some)
                    ],
                )

    def send_back(self, letters: Sequence[Letter], canary: str = "") -> None:
        """Send them to the queue where they failed; when this returns, it has all of them."""
        for some in _batches(letters):
            entries = [_entry(number, each, canary) for number, each in enumerate(some)]
            with translated("SendMessageBatch"):
                answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)
            if refused := answer.get("Failed"):
                raise RetryableError(
                    f"SQS did not take {len(refused)} of {len(some)} messages: "
                    f"{refused[0].get('Message', refused[0]['Code'])}"
                )

    def delete(self, letters: Sequence[Letter]) -> int:
        """Delete them and return how many were not deleted: those come again."""
        left = 0
        for some in chunked(letters, _BATCH):
            with translated("DeleteMessageBatch"):
                answer = self._client.delete_message_batch(
                    QueueUrl=self._url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": each.receipt}
                        for number, each in enumerate(some)
                    ],
                )
            left += len(answer.get("Failed", ()))
        return left


class SqsMoveTasks:
    """`millrace.dlq.ports.MoveTasks` on SQS; the local engine has none.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_StartMessageMoveTask.html
    """

    def __init__(self, client: "SQSClient", dead_letter_arn: str) -> None:
        self._client = client
        self._arn = dead_letter_arn

    def start(self, rate: int) -> None:
        """Begin to move everything back, at most so many messages a second."""
        with translated("StartMessageMoveTask"):
            self._client.start_message_move_task(
                SourceArn=self._arn, MaxNumberOfMessagesPerSecond=min(rate, _MOVES_PER_S)
            )

    def latest(self) -> MoveTask | None:
        """Return the newest task of the queue, if there was one."""
        with translated("ListMessageMoveTasks"):
            found = self._client.list_message_move_tasks(SourceArn=self._arn, MaxResults=1)
        for task in found.get("Results", ()):
            return MoveTask(
                TaskState(task["Status"]),
                task.get("ApproximateNumberOfMessagesMoved", 0),
                task.get("ApproximateNumberOfMessagesToMove", 0),
                task.get("TaskHandle", ""),
                task.get("FailureReason", ""),
            )
        return None

    def cancel(self, handle: str) -> None:
        """End a running task; what was moved stays moved."""
        with translated("CancelMessageMoveTask"):
            self._client.cancel_message_move_task(TaskHandle=handle)


class DynamoNotes:
    """`millrace.dlq.notes.Notes` on the notes table; its keys are built here alone."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def write(self, notes: Sequence[Note]) -> None:
        """Keep the notes, over earlier ones of the same messages.

        Raises:
            RetryableError: some are not kept. Each call is made once: it is a failing batch's, and
                what its function does not answer in time comes again.
        """
        latest = {_key(each.queue, each.body_hash): each for each in notes}
        for some in chunked(latest.values(), ITEMS_PER_WRITE):
            requests: list[Any] = [{"PutRequest": {"Item": _item(each)}} for each in some]
            with translated("BatchWriteItem notes"):
                answer = self._client.batch_write_item(RequestItems={self._table: requests})
            if answer.get("UnprocessedItems"):
                raise RetryableError("BatchWriteItem notes: some notes were not kept")

    def read(self, queue: str, hashes: Collection[str]) -> Mapping[str, Note]:
        """Return the notes there are by body hash, strongly consistent."""
        keys = [to_attributes({"message": _key(queue, each)}) for each in hashes]
        found = TableBatches(self._client, self._table).read(keys, consistent=True)
        notes = [_note_of(from_attributes(item)) for item in found]
        return {each.body_hash: each for each in notes}


def _key(queue: str, body_hash: str) -> str:
    return f"{queue}#{body_hash}"


def _item(note: Note) -> Any:  # noqa: ANN401 - DynamoDB's own shape
    return to_attributes(
        {
            "message": _key(note.queue, note.body_hash),
            "outcome": note.outcome.value,
            "at": format_ms(note.at),
            "request_id": note.request_id,
            "receives": note.receives,
            "error": note.error,
            "detail": note.detail,
            "canary": note.canary,
            "expires_at": to_epoch_ms(note.at + _NOTE_TTL) // 1000,
        }
    )


def _note_of(fields: Mapping[str, Any]) -> Note:
    queue, _, hashed = fields["message"].rpartition("#")
    return Note(
        queue=queue,
        body_hash=hashed,
        outcome=Outcome(fields["outcome"]),
        at=parse_rfc3339(fields["at"]),
        request_id=fields["request_id"],
        receives=int(fields["receives"]),
        error=fields["error"],
        detail=fields["detail"],
        canary=fields["canary"],
    )


def _letter_of(message: Mapping[str, Any]) -> Letter:
    attributes = message.get("MessageAttributes", {})
    return Letter(
        message_id=message["MessageId"],
        receipt=message["ReceiptHandle"],
        body=message["Body"],
        sent_at=from_epoch_ms(int(message["Attributes"]["SentTimestamp"])),
        receives=int(message["Attributes"]["ApproximateReceiveCount"]),
        attributes={name: each for name, each in attributes.items() if name != CANARY_ATTRIBUTE},
    )


def _entry(number: int, letter: Letter, canary: str) -> "SendMessageBatchRequestEntryTypeDef":
    attributes = dict(letter.attributes)
    if canary:
        attributes[CANARY_ATTRIBUTE] = {"DataType": "String", "StringValue": canary}
    entry: SendMessageBatchRequestEntryTypeDef = {"Id": str(number), "MessageBody": letter.body}
    return entry | {"MessageAttributes": attributes} if attributes else entry


def _batches(letters: Sequence[Letter]) -> Iterator[list[Letter]]:
    """Yield what fits one call: ten messages, and no more bytes than a batch may have."""
    return _packed(letters, _BATCH, _BATCH_BYTES, lambda each: len(each.body.encode()) + 1024)


def _packed(
    values: Sequence[T], most: int, most_bytes: int, size_of: Callable[[T], int]
) -> Iterator[list[T]]:
    some: list[T] = []
    room = most_bytes
    for value in values:
        size = size_of(value)
        if some and (len(some) == most or size > room):
            yield some
            some, room = [], most_bytes
        some.append(value)
        room -= size
    if some:
        yield some


def dynamo_notes(settings: ConsumerSettings) -> DynamoNotes:
    """Return the notes of a consumer; no call is made."""
    return DynamoNotes(dynamodb_client(), settings.notes_table)
