"""What the operator API answers: the models of its JSON, of which the OpenAPI document is made."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from millrace.dlq.canary import Verdict
from millrace.dlq.looking import Group, Look, Seen
from millrace.dlq.ports import Depth
from millrace.dlq.redrive import Redriven
from millrace.times import format_ms
from operator_api.requests import MAX_SHOWN

MAX_BODY_CHARACTERS = 4_096
"""Of a message's body; an answer has at most 6 MB, a message may have 1 MB."""


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class QueueAnswer(_Answer):
    """How many dead letters a queue has."""

    queue: str
    messages: int
    """About how many there are, those in `held` among them."""
    held: int
    """Somebody looks at them or sends them back at this moment."""

    @classmethod
    def of(cls, queue: str, depth: Depth) -> "QueueAnswer":
        """Return the answer for a queue."""
        return cls(queue=queue, messages=depth.total, held=depth.held)


class QueueList(_Answer):
    """Every queue."""

    queues: tuple[QueueAnswer, ...]


class GroupAnswer(_Answer):
    """Messages that failed alike."""

    error: str
    """Without what varies: words that hold a digit are `*`."""
    messages: int
    oldest_sent_at: str

    @classmethod
    def all_of(cls, groups: Iterable[Group]) -> "tuple[GroupAnswer, ...]":
        """Return the answers for groups."""
        return tuple(
            cls(error=each.label, messages=each.messages, oldest_sent_at=format_ms(each.oldest))
            for each in groups
        )


class MessageAnswer(_Answer):
    """A dead letter."""

    message_id: str
    sent_at: str
    """When it was first sent: 14 days later it is gone."""
    receives: int
    """Deliveries, and looks."""
    error: str
    detail: str
    """What the consumer said last; empty if it said nothing."""
    failed_at: str | None
    request_id: str | None
    """Of the invocation that failed: finds its lines in the function's log."""
    commit_id: str | None
    replay_id: str | None
    body: str
    """At most 4,096 characters of it; `millrace dlq export` has all."""

    @classmethod
    def of(cls, seen: Seen) -> "MessageAnswer":
        """Return the answer for a message."""
        letter, note = seen.letter, seen.note
        return cls(
            message_id=letter.message_id,
            sent_at=format_ms(letter.sent_at),
            receives=letter.receives,
            error=seen.label,
            detail=note.detail if note else "",
            failed_at=format_ms(note.at) if note else None,
            request_id=note.request_id if note else None,
            commit_id=letter.about.get("commit_id"),
            replay_id=letter.about.get("replay_id"),
            body=letter.body[:MAX_BODY_CHARACTERS],
        )


class LookAnswer(QueueAnswer):
    """A queue's dead letters by error, and the first of them."""

    looked_at: int
    """How many messages the groups are made of."""
    groups: tuple[GroupAnswer, ...]
    shown: Annotated[tuple[MessageAnswer, ...], Field(max_length=MAX_SHOWN)]

    @classmethod
    def of_look(cls, queue: str, look: Look, limit: int) -> "LookAnswer":
        """Return the answer for a look, with the first `limit` messages."""
        return cls(
            **QueueAnswer.of(queue, look.depth).model_dump(),
            looked_at=len(look.seen),
            groups=GroupAnswer.all_of(look.groups),
            shown=tuple(map(MessageAnswer.of, look.seen[:limit])),
        )


class VerdictAnswer(_Answer):
    """What the canaries of an error said."""

    error: str
    verdict: Verdict
    kept: int
    """Messages that stay for it."""


class RedriveAnswer(_Answer):
    """What a redrive did."""

    queue: str
    dry_run: bool
    sent: int
    """Messages sent back; in a dry run, that would be."""
    failed_canaries: int
    """They come back to the dead-letter queue once they have failed often enough."""
    kept: int
    """Messages of errors that still fail: they stay."""
    remaining: int
    """About how many dead letters there are now."""
    call_again: bool
    """The request's time or its `limit` was over before the messages were."""
    groups: tuple[VerdictAnswer, ...]

    @classmethod
    def of(cls, queue: str, done: Redriven, remaining: int) -> "RedriveAnswer":
        """Return the answer for what was done."""
        return cls(
            queue=queue,
            dry_run=False,
            sent=done.sent,
            failed_canaries=done.failed_canaries,
            kept=done.kept.total(),
            remaining=remaining,
            call_again=done.ended_early,
            groups=tuple(
                VerdictAnswer(error=label, verdict=verdict, kept=done.kept[label])
                for label, verdict in done.verdicts.items()
            ),
        )

    @classmethod
    def of_dry_run(cls, queue: str, look: Look) -> "RedriveAnswer":
        """Return the answer for what would be done."""
        return cls(
            queue=queue,
            dry_run=True,
            sent=len(look.seen),
            failed_canaries=0,
            kept=0,
            remaining=look.depth.total,
            call_again=False,
            groups=(),
        )
