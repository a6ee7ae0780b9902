"""The claim check: one small message that stands for a whole commit."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from millrace.commit import CommitHead, ShardKey, padded
from millrace.errors import MillraceError

VERSION = 1


class MalformedReference(MillraceError):
    """A message body that is not a reference; it will never become one."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What ingest sends to enrich."""

    commit_id: str
    shard: ShardKey
    first_seq: int
    raw_key: str
    correlation_id: str

    @classmethod
    def to(cls, head: CommitHead) -> "Reference":
        """Return the reference to a commit that holds events.

        Raises:
            ValueError: the commit holds none, so nothing downstream may hear of it.
        """
        if head.raw_key is None:
            raise ValueError(f"commit {head.commit_id} has no raw object to refer to")
        return cls(head.commit_id, head.shard, head.first_seq, head.raw_key, head.correlation_id)

    @property
    def ids(self) -> Mapping[str, str]:
        """What logs and traces are found by."""
        return {"commit_id": self.commit_id, "correlation_id": self.correlation_id}

    def to_json(self) -> str:
        """Return the message body."""
        return orjson.dumps(self._fields()).decode()

    def _fields(self) -> dict[str, object]:
        return {
            "v": VERSION,
            "commit_id": self.commit_id,
            "shard": str(self.shard),
            "seq": padded(self.first_seq),
            "raw_key": self.raw_key,
            "correlation_id": self.correlation_id,
        }

    @classmethod
    def parse(cls, body: str) -> "Reference":
        """Return the reference in a message body.

        Raises:
            MalformedReference: not JSON, not version 1, or a field is missing.
        """
        fields = _fields_of(body)
        return cls(*_common(fields))


@dataclass(frozen=True, slots=True)
class EnrichedReference(Reference):
    """What enrich sends to aggregate and archive: the same commit, now with its enriched object."""

    enriched_key: str
    defs_version: str

    @classmethod
    def from_reference(
        cls, reference: Reference, enriched_key: str, defs_version: str
    ) -> "EnrichedReference":
        """Return `reference` with the object that enrich wrote for it."""
        return cls(
            reference.commit_id,
            reference.shard,
            reference.first_seq,
            reference.raw_key,
            reference.correlation_id,
            enriched_key,
            defs_version,
        )

    def _fields(self) -> dict[str, object]:
        own = {"enriched_key": self.enriched_key, "defs_version": self.defs_version}
        return Reference._fields(self) | own

    @classmethod
    def parse(cls, body: str) -> "EnrichedReference":
        """Return the reference in a message body.

        Raises:
            MalformedReference: not JSON, not version 1, or a field is missing.
        """
        fields = _fields_of(body)
        return cls(*_common(fields), _text(fields, "enriched_key"), _text(fields, "defs_version"))


def _fields_of(body: str) -> dict[str, object]:
    try:
        fields = orjson.loads(body)
    except orjson.JSONDecodeError as err:
        raise MalformedReference(f"the message body is not JSON: {err}") from err
    if not isinstance(fields, dict) or fields.get("v") != VERSION:
        raise MalformedReference(f"the message body is not a reference of version {VERSION}")
    return fields


def _common(fields: dict[str, object]) -> tuple[str, ShardKey, int, str, str]:
    seq = _text(fields, "seq")
    if not seq.isdecimal():
        raise MalformedReference("the reference's `seq` is not a sequence number")
    return (
        _text(fields, "commit_id"),
        ShardKey.parse(_text(fields, "shard")),
        int(seq),
        _text(fields, "raw_key"),
        _text(fields, "correlation_id"),
    )


def _text(fields: dict[str, object], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise MalformedReference(f"the reference has no text field `{name}`")
    return value
