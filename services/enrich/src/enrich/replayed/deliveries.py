"""What SQS delivers of replays: a message that names one event, or one to be left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import orjson

from millrace.replay.message import MalformedReplayMessage, ReplayMessage
from millrace.replay.progress import SkippedEvent


class SkipReason(StrEnum):
    """Why an event can never be replayed; listed with the replay and counted."""

    MALFORMED_MESSAGE = "malformed_message"
    UNKNOWN_REPLAY = "unknown_replay"
    OTHER_VERSION = "other_version"
    FOREIGN_OBJECT = "foreign_object"
    BAD_RANGE = "bad_range"
    OBJECT_MISSING = "object_missing"
    CORRUPT_MEMBER = "corrupt_member"
    LINE_MISSING = "line_missing"
    NOT_AN_EVENT = "not_an_event"
    OTHER_EVENT = "other_event"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message as it came."""

    message_id: str
    message: ReplayMessage


@dataclass(frozen=True, slots=True)
class Skip:
    """One message that is left out for good."""

    message_id: str
    replay_id: str
    """Empty if the message does not tell."""
    place: str
    """Empty if the message does not tell: then it cannot be listed."""
    event_id: str
    reason: SkipReason
    detail: str
    """Never anything of an event's payload."""

    @classmethod
    def of(cls, delivery: Delivery, reason: SkipReason, detail: str) -> "Skip":
        """Return the verdict on a message that could be read."""
        message = delivery.message
        return cls(
            delivery.message_id, message.replay_id, message.place, message.event_id, reason, detail
        )

    @property
    def listed(self) -> SkippedEvent | None:
        """What the replay's status lists; None if no place can be told."""
        if not self.place:
            return None
        return SkippedEvent(self.place, self.event_id, self.reason.value, self.detail)


@dataclass(frozen=True, slots=True)
class ReplayBatch:
    """All messages of one replay in a batch; `""` is the replay of those that name none."""

    replay_id: str
    deliveries: tuple[Delivery, ...]
    malformed: tuple[Skip, ...]

    @property
    def message_ids(self) -> list[str]:
        """The ids of all its messages."""
        ids = [each.message_id for each in self.deliveries]
        return ids + [each.message_id for each in self.malformed]


def batches_of(bodies: Mapping[str, str]) -> list[ReplayBatch]:
    """Return the messages, given by message id, replay by replay."""
    read: dict[str, list[Delivery]] = {}
    malformed: dict[str, list[Skip]] = {}
    for message_id, body in bodies.items():
        try:
            message = ReplayMessage.parse(body)
        except MalformedReplayMessage as err:
            skip = _malformed(message_id, body, str(err))
            malformed.setdefault(skip.replay_id, []).append(skip)
        else:
            read.setdefault(message.replay_id, []).append(Delivery(message_id, message))
    return [
        ReplayBatch(each, tuple(read.get(each, ())), tuple(malformed.get(each, ())))
        for each in dict.fromkeys([*read, *malformed])
    ]


def _malformed(message_id: str, body: str, detail: str) -> Skip:
    """Return the verdict with as much of the message's ids as can be told."""
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError:
        fields = {}
    if not isinstance(fields, dict):
        fields = {}
    key, offset, line = (fields.get(name) for name in ("s3_key", "offset", "line"))
    told = isinstance(key, str) and isinstance(offset, int) and isinstance(line, int)
    return Skip(
        message_id,
        _text(fields.get("replay_id")),
        f"{key}@{offset}:{line}" if told else "",
        _text(fields.get("event_id")),
        SkipReason.MALFORMED_MESSAGE,
        detail,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
