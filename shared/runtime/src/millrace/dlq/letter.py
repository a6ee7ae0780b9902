"""One message of a dead-letter queue, and what its body says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

CANARY_ATTRIBUTE = "millrace_canary"
"""The message attribute by which a consumer knows that somebody waits to hear how it went."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it was received."""

    message_id: str
    receipt: str
    """Good for deleting it and giving it back until the next receive."""
    body: str
    sent_at: datetime
    """When it was first sent: SQS keeps that, and the retention, when it moves a dead letter."""
    receives: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """Message attributes in the shape of SQS, without the canary's."""

    @property
    def body_hash(self) -> str:
        """What a failure is noted under: ids change when a message is sent again."""
        return body_hash(self.body)

    @property
    def about(self) -> Mapping[str, str]:
        """What the body names: its commit or replay; nothing if it is no reference."""
        fields = _fields_of(self.body)
        return {
            name: value
            for name in ("commit_id", "replay_id", "event_id", "correlation_id")
            if isinstance(value := fields.get(name), str)
        }

    @property
    def replay_id(self) -> str | None:
        """The replay that the message belongs to, if any."""
        return self.about.get("replay_id")


def body_hash(body: str) -> str:
    """Return 32 hexadecimal digits that stand for a body."""
    return sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def is_object(body: str) -> bool:
    """Tell whether a body is a JSON object, as every message of the pipeline is."""
    return _parsed(body) is not None


def _fields_of(body: str) -> Mapping[str, Any]:
    return _parsed(body) or {}


def _parsed(body: str) -> dict[str, Any] | None:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if isinstance(value, dict) else None
