"""The claim check of a replay: one small message for the events that enrich read together.

It travels on the aggregate queue beside `millrace.reference.EnrichedReference`; `replay_id` in the
body tells the two apart. SQS regroups messages at every delivery, so an event may be in the objects
of several references: aggregate counts it once, by its marker (version, event, arrival).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from millrace.aggregates import Version
from millrace.reference import VERSION, MalformedReference


@dataclass(frozen=True, slots=True)
class ReplayReference:
    """What enrich sends to aggregate for some replayed events."""

    replay_id: str
    version: Version
    object_id: str
    """Names the enriched object within its replay; made of the events in it."""
    enriched_key: str
    defs_version: str
    correlation_id: str

    @property
    def owner(self) -> str:
        """What the markers that this reference inserts hold as their owner."""
        return f"{self.replay_id}/{self.object_id}"

    @property
    def ids(self) -> Mapping[str, str]:
        """What logs and traces are found by."""
        return {
            "replay_id": self.replay_id,
            "version": self.version,
            "correlation_id": self.correlation_id,
        }

    def to_json(self) -> str:
        """Return the message body."""
        return orjson.dumps({"v": VERSION} | asdict(self)).decode()

    @classmethod
    def parse(cls, body: str) -> "ReplayReference":
        """Return the reference in a message body.

        Raises:
            MalformedReference: not JSON, not this version, a field is missing, or `version` is no
                replay's: under `live` the events would count twice.
        """
        fields = _object_in(body)
        if fields.get("v") != VERSION:
            raise MalformedReference(f"the message body is not a reference of version {VERSION}")
        return cls(
            replay_id=_text(fields, "replay_id"),
            version=_version(fields),
            object_id=_text(fields, "object_id"),
            enriched_key=_text(fields, "enriched_key"),
            defs_version=_text(fields, "defs_version"),
            correlation_id=_text(fields, "correlation_id"),
        )


def is_replayed(body: str) -> bool:
    """Tell whether a body on the aggregate queue is a replay's reference (or means to be one)."""
    try:
        return "replay_id" in _object_in(body)
    except MalformedReference:
        return False


def _object_in(body: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise MalformedReference(f"the message body is not JSON: {err}") from err
    if not isinstance(fields, dict):
        raise MalformedReference("the message body is not a JSON object")
    return fields


def _version(fields: dict[str, Any]) -> Version:
    version = _text(fields, "version")
    if not version.isdecimal():
        raise MalformedReference("the reference's `version` is not the start of a replay")
    return Version(version)


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise MalformedReference(f"the reference has no text field `{name}`")
    return value
