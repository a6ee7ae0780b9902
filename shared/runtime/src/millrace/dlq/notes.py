"""Why a message failed: SQS moves its body and no word more, so its consumer notes it."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from millrace.dlq.letter import Letter, is_object

_VARYING = re.compile(r"\S*\d\S*")  # ids, keys, ARNs, times: what no two messages share
_LABEL_LENGTH = 240
DETAIL_LENGTH = 1000
NO_NOTE = "no failure noted (the function ran out of time or memory, or could not note it)"
NO_REFERENCE = "not a JSON object: no message of this pipeline"


class Outcome(StrEnum):
    """How the last delivery of a message went, as far as its consumer said."""

    FAILED = "failed"
    DONE = "done"
    """Noted for canaries alone: a message that is done leaves its queue, and nobody asks."""


@dataclass(frozen=True, slots=True)
class Note:
    """What a consumer says of a message; the last one stands."""

    queue: str
    """Name of the queue that it came from."""
    body_hash: str
    outcome: Outcome
    at: datetime
    request_id: str
    """Of the invocation: finds its lines in the log."""
    receives: int
    error: str = ""
    """Class of the error."""
    detail: str = ""
    """Its message, at most DETAIL_LENGTH characters."""
    canary: str = ""

    @property
    def label(self) -> str:
        """The error without what is one message's own: equal for messages that failed alike."""
        shape = " ".join(_VARYING.sub("*", self.detail).split())
        return f"{self.error}: {shape}".removesuffix(": ")[:_LABEL_LENGTH]


class Notes(Protocol):
    """Where notes are kept. May block, raise RetryableError or ConfigError."""

    def write(self, notes: Sequence[Note]) -> None:
        """Keep the notes, over earlier ones of the same messages."""
        ...

    def read(self, queue: str, hashes: Collection[str]) -> Mapping[str, Note]:
        """Return the notes there are by body hash, strongly consistent."""
        ...


def label_of(letter: Letter, note: Note | None) -> str:
    """Return the error by which a dead letter is grouped with others."""
    if note is not None and note.outcome is Outcome.FAILED:
        return note.label
    return NO_NOTE if is_object(letter.body) else NO_REFERENCE
