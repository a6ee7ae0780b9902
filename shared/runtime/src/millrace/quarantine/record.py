"""One record in quarantine: its place, its bytes, why it is there, and what can be told of it."""

import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from millrace.commit import CommitHead, ShardKey
from millrace.errors import MillraceError
from millrace.event import UNKNOWN_SOURCE, UTF8_BOM
from millrace.raw_lines import unpack
from millrace.times import parse_rfc3339

_SEARCHED_BYTES = 64 * 1024
_FIRST_VERSION = 1


class BadPlace(MillraceError):
    """A text that names no place in quarantine."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where a record came from: shard, sequence number, position inside the Kinesis record."""

    shard_id: str
    seq: int
    position: int = 0

    def __str__(self) -> str:
        """The form that people copy into the next command."""
        return f"{self.shard_id}/{self.seq}/{self.position}"

    @classmethod
    def parse(cls, text: str) -> "Place":
        """Return the place that `text` names; without a position the first.

        Raises:
            BadPlace: it names none.
        """
        shard_id, *numbers = text.split("/")
        if not shard_id or len(numbers) not in {1, 2} or not all(map(str.isdecimal, numbers)):
            raise BadPlace(
                f"{text!r} is no record; write SHARD/SEQUENCE or SHARD/SEQUENCE/POSITION"
            )
        return cls(shard_id, *map(int, numbers))


@dataclass(frozen=True, slots=True)
class Traits:
    """What the record says of itself, as far as it can be read. None: it cannot be told."""

    source: str | None = None
    event_type: str | None = None
    schema_version: str | None = None


@dataclass(frozen=True, slots=True)
class QuarantinedRecord:
    """One line of a quarantine object."""

    place: Place
    line: int
    """Its number in the object: the object never changes, so it names the record in marks."""
    reason: str
    """One of `millrace.reasons.RejectReason`, or one that another release has."""
    message: str
    arrival: datetime
    data: bytes
    commit: CommitHead
    traits: Traits

    @property
    def shard(self) -> ShardKey:
        """The shard, with the stream's incarnation."""
        return self.commit.shard


def records_of(head: CommitHead, body: bytes) -> Iterator[QuarantinedRecord]:
    """Yield the records of a commit's quarantine object, in their order."""
    for number, line in enumerate(unpack(body)):
        fields: Mapping[str, Any] = orjson.loads(line)
        data = b64decode(fields["bytes_base64"])
        yield QuarantinedRecord(
            place=Place(head.shard.shard_id, int(fields["sequence"]), fields["position"]),
            line=number,
            reason=fields["reason"],
            message=fields["message"],
            arrival=parse_rfc3339(fields["arrival_time"]),
            data=data,
            commit=head,
            traits=traits_of(data),
        )


def traits_of(data: bytes) -> Traits:
    """Return what the bytes say of source, type and schema version, as well as can be.

    Of a JSON object: its own fields, where they are missing the contract's defaults. Of anything
    else: the first text that looks like such a field, in the first 64 KiB.
    """
    try:
        parsed = orjson.loads(data.removeprefix(UTF8_BOM))
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        begin = data[:_SEARCHED_BYTES]
        return Traits(*(_searched(begin, n) for n in ("source", "event_type", "schema_version")))
    return Traits(
        source=_text(parsed.get("source", UNKNOWN_SOURCE)),
        event_type=_text(parsed.get("event_type")),
        schema_version=_text(parsed.get("schema_version", _FIRST_VERSION)),
    )


def _text(value: object) -> str | None:
    """Return a scalar as people would name it; what is no scalar cannot be told."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _searched(data: bytes, name: str) -> str | None:
    found = re.search(rb'"%s"\s*:\s*(?:"([^"\\]{1,256})"|(\d{1,18}))' % name.encode(), data)
    return (found[1] or found[2]).decode(errors="replace") if found else None
