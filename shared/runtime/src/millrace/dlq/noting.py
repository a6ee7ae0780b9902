"""What a consumer notes of its batch: every message that failed, and how a canary went."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.clock import Clock
from millrace.dlq.letter import CANARY_ATTRIBUTE, body_hash
from millrace.dlq.notes import DETAIL_LENGTH, Note, Notes, Outcome
from millrace.errors import MillraceError

_LEAST_MS = 3000  # of an invocation left for noting; with less it is not begun
_SQS = "aws:sqs"
_UNSAID = "the handler named no reason"


@dataclass(frozen=True, slots=True)
class Noting:
    """Notes what failed, as far as possible: a batch's answer never depends on it."""

    logger: Logger
    notes: Callable[[], Notes] | None
    """Where; None where nothing comes from a queue."""
    clock: Clock

    def note(
        self,
        event: Mapping[str, Any],
        context: LambdaContext,
        failed: Mapping[str, BaseException | None],
    ) -> None:
        """Note the messages of an event that failed, by id, and how its canaries went."""
        if self.notes is None or context.get_remaining_time_in_millis() < _LEAST_MS:
            return
        notes = notes_of(event, failed, context.aws_request_id, self.clock.now())
        if not notes:
            return
        try:
            self.notes().write(notes)
        except MillraceError as err:
            self.logger.warning("failures not noted", extra={"messages": len(notes)}, exc_info=err)


def notes_of(
    event: Mapping[str, Any],
    failed: Mapping[str, BaseException | None],
    request_id: str,
    at: datetime,
) -> list[Note]:
    """Return the notes of a batch from SQS; of any other event none.

    failed: why, by id of the messages that failed; None where the handler did not say.
    """
    return list(_notes(event, failed, request_id, at))


def _notes(
    event: Mapping[str, Any],
    failed: Mapping[str, BaseException | None],
    request_id: str,
    at: datetime,
) -> Iterator[Note]:
    for record in event.get("Records", ()):
        if record.get("eventSource") != _SQS:
            continue
        canary, why = _canary_of(record), failed.get(record["messageId"])
        outcome = Outcome.FAILED if record["messageId"] in failed else Outcome.DONE
        if outcome is Outcome.DONE and not canary:
            continue
        yield Note(
            queue=record["eventSourceARN"].rpartition(":")[2],
            body_hash=body_hash(record["body"]),
            outcome=outcome,
            at=at,
            request_id=request_id,
            receives=int(record.get("attributes", {}).get("ApproximateReceiveCount", 0)),
            error=type(why).__name__ if why else "",
            detail=_detail(why) if outcome is Outcome.FAILED else "",
            canary=canary,
        )


def _canary_of(record: Mapping[str, Any]) -> str:
    attribute = record.get("messageAttributes", {}).get(CANARY_ATTRIBUTE, {})
    return str(attribute.get("stringValue", ""))


def _detail(why: BaseException | None) -> str:
    return _UNSAID if why is None else " ".join(str(why).split())[:DETAIL_LENGTH]
