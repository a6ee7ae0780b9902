"""From places and bytes to events, or to the reason why there is none: values in, values out."""

import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import orjson

from enrich.replayed.deliveries import Delivery, Skip, SkipReason
from millrace.enriched import EnrichedEvent, normalised
from millrace.errors import RejectedRecord
from millrace.event import Event, read_event
from millrace.keys import RAW
from millrace.raw_lines import unpack
from millrace.replay.record import Replay
from millrace.times import to_epoch_ms

MAX_MEMBER_BYTES = 16 * 1024 * 1024
"""A member holds 64 KiB and what the last of its events has more, and no event has 16 MiB."""

Member = tuple[str, int, int]
"""Key, offset and length of a gzip member."""


@dataclass(frozen=True, slots=True)
class ReadEvent:
    """The event that a message names, out of its raw object."""

    delivery: Delivery
    event: Event

    @property
    def place(self) -> str:
        """Where it lies in history."""
        return self.delivery.message.place

    def row(self, defs_version: str) -> EnrichedEvent:
        """Return the event as a row to be counted by these definitions."""
        arrival_ms = to_epoch_ms(self.delivery.message.arrival_time)
        return normalised(self.event, arrival_ms, defs_version)


def unsound(delivery: Delivery, replay: Replay, bucket: str) -> Skip | None:
    """Return why a message cannot be followed, though it is whole; None if it can."""
    message = delivery.message
    if message.version != replay.version:
        detail = f"the message says version {message.version}, its replay has {replay.version}"
        return Skip.of(delivery, SkipReason.OTHER_VERSION, detail)
    if message.s3_bucket != bucket or not message.s3_key.startswith(f"{RAW}/"):
        detail = f"s3://{message.s3_bucket}/{message.s3_key} is no raw object of this pipeline"
        return Skip.of(delivery, SkipReason.FOREIGN_OBJECT, detail)
    if not 0 < message.length <= MAX_MEMBER_BYTES:
        detail = f"a member of {message.length} bytes; it has 1 to {MAX_MEMBER_BYTES}"
        return Skip.of(delivery, SkipReason.BAD_RANGE, detail)
    return None


def by_member(deliveries: Iterable[Delivery]) -> Mapping[Member, list[Delivery]]:
    """Return the messages by the member to fetch, in the order of keys and offsets."""
    groups: dict[Member, list[Delivery]] = {}
    for each in sorted(deliveries, key=lambda one: (one.message.member, one.message.line)):
        groups.setdefault(each.message.member, []).append(each)
    return groups


def events_in(body: bytes, wanted: Sequence[Delivery]) -> tuple[list[ReadEvent], list[Skip]]:
    """Return the events that messages name in the bytes of their one member, and the rest."""
    length = wanted[0].message.length
    if len(body) != length:
        detail = f"the object ends {length - len(body)} bytes before the member does"
        return [], [Skip.of(each, SkipReason.CORRUPT_MEMBER, detail) for each in wanted]
    try:
        lines = unpack(body)
    except (OSError, EOFError, zlib.error) as err:
        detail = f"the member cannot be unpacked ({type(err).__name__})"
        return [], [Skip.of(each, SkipReason.CORRUPT_MEMBER, detail) for each in wanted]
    found = [_event_in(lines, each) for each in wanted]
    return (
        [each for each in found if isinstance(each, ReadEvent)],
        [each for each in found if isinstance(each, Skip)],
    )


def _event_in(lines: Sequence[bytes], delivery: Delivery) -> ReadEvent | Skip:
    number = delivery.message.line
    if number >= len(lines):
        detail = f"the member has {len(lines)} lines; no line {number}"
        return Skip.of(delivery, SkipReason.LINE_MISSING, detail)
    try:
        event = read_event(lines[number])
    except RejectedRecord as err:
        detail = f"the line is no event ({err.reason})"
        return Skip.of(delivery, SkipReason.NOT_AN_EVENT, detail)
    if event.event_id != delivery.message.event_id:
        detail = "the line holds another event than the message names"
        return Skip.of(delivery, SkipReason.OTHER_EVENT, detail)
    return ReadEvent(delivery, event)


def object_id(places: Iterable[str], defs_version: str) -> str:
    """Return the name, within its replay, of the object of these events: 32 hex digits.

    It is made of all that decides what is in the object, so whoever writes it writes the same
    events, and the same group of messages always comes to the same object.
    """
    content = orjson.dumps([defs_version, *sorted(places)])
    return blake2b(content, digest_size=16, person=b"millrace-rplobj").hexdigest()
