"""What the ingest function is asked about a discarded batch, and what it answers.

Ingest repairs with its own code, rights and settings; whoever asks only repeats until it is done.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from millrace.commit import SeqRange, ShardKey
from millrace.discarded.batch import DiscardedBatch
from millrace.errors import MillraceError

KEY = "discarded"
"""The request's one member: no event of a mapping has it."""
MOST_SHOWN = 200
"""Records in one answer: Lambda's takes 6 MB."""


class Action(StrEnum):
    """What to do."""

    SHOW = "show"
    """Decode some records."""
    PREVIEW = "preview"
    """Say what a repair would do."""
    REPAIR = "repair"


class MalformedRequest(MillraceError):
    """A request that asks for nothing."""


@dataclass(frozen=True, slots=True)
class DiscardedRequest:
    """One thing to do about one batch."""

    action: Action
    shard: ShardKey
    """Also of a stream that was recreated since."""
    within: SeqRange
    limit: int = 0
    """Most records to show."""

    @classmethod
    def about(cls, action: Action, batch: DiscardedBatch, limit: int = 0) -> "DiscardedRequest":
        """Return the request."""
        return cls(action, batch.shard, batch.range, limit)

    def as_event(self) -> dict[str, Any]:
        """Return the function's event."""
        return {
            KEY: {
                "action": self.action.value,
                "incarnation": self.shard.incarnation,
                "shard_id": self.shard.shard_id,
                "first": str(self.within.first),
                "last": str(self.within.last),
                "limit": self.limit,
            }
        }

    @classmethod
    def parse(cls, event: Mapping[str, Any]) -> "DiscardedRequest":
        """Return the request in an event.

        Raises:
            MalformedRequest: a field is missing or wrong.
        """
        try:
            asked = event[KEY]
            within = SeqRange(int(asked["first"]), int(asked["last"]))
            limit = min(int(asked["limit"]), MOST_SHOWN)
            shard = ShardKey(str(asked["incarnation"]), str(asked["shard_id"]))
            return cls(Action(asked["action"]), shard, within, limit)
        except (KeyError, TypeError, ValueError) as err:
            raise MalformedRequest(f"{KEY}: {type(err).__name__}: {err}") from err


@dataclass(frozen=True, slots=True)
class DiscardedAnswer:
    """What came of it. A refusal says why, and that nothing was done."""

    refused: str = ""
    source: str = ""
    records: int = 0
    """Records of the batch that can be had."""
    missing: int = 0
    """Records of the batch that neither the payload nor the stream holds."""
    covered: int = 0
    """Records that were in a commit before."""
    abandoned: int = 0
    """Records in ranges that are given up for good."""
    to_commit: int = 0
    """Records that are in no commit yet: of a preview those that a repair would commit."""
    committed: int = 0
    """Records that this call committed."""
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    done: bool = False
    """Nothing is left to do with what can be had; what is missing stays missing."""
    error: str = ""
    """What stopped this call early; the next one goes on."""
    shown: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer as plain values."""
        return asdict(self)

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> "DiscardedAnswer":
        """Return the answer in a function's payload."""
        return cls(**fields)
