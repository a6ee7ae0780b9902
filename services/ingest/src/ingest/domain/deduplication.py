"""Which events are new: claims on the gate, and what its answers mean for a batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ingest.domain.records import JudgedRecord, Outcome, owner_of
from millrace.commit import CommittedLine, Owner, ShardKey
from millrace.event import Event


@dataclass(frozen=True, slots=True)
class Claim:
    """An event's bid to be the first of its (source, event_id)."""

    gate_key: bytes
    owner: Owner
    content_hash: bytes
    arrival_ms: int


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a gate key: the claimant itself, or whoever came first."""

    owner: Owner
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Takeover:
    """A bid for a key whose holder can never be had again."""

    claim: Claim
    lost: Owner


@dataclass(frozen=True, slots=True)
class EventLine:
    """One line of the raw object to be: the event, and its entry in the line table."""

    event: Event
    entry: CommittedLine


@dataclass(frozen=True, slots=True)
class RejectedOutcome:
    """One quarantined part of a record."""

    judged: JudgedRecord
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Prefix:
    """The records that can be committed: all before the first one that stayed unresolved."""

    records: tuple[JudgedRecord, ...]
    lines: tuple[EventLine, ...]
    rejected: tuple[RejectedOutcome, ...]
    unresolved_seq: int | None


def claims_of(shard: ShardKey, records: Iterable[JudgedRecord]) -> list[Claim]:
    """Return one claim for each gate key; of duplicates inside the batch the first one bids."""
    claims: dict[bytes, Claim] = {}
    for judged in records:
        for outcome in judged.outcomes:
            if outcome.event is not None:
                key = outcome.event.gate_key
                if key not in claims:
                    owner = owner_of(shard, judged, outcome)
                    claims[key] = Claim(
                        key, owner, outcome.event.content_hash, judged.record.arrival_ms
                    )
    return list(claims.values())


def takeovers_of(
    claims: Iterable[Claim], holders: Mapping[bytes, Holder], is_lost: Callable[[Owner], bool]
) -> list[Takeover]:
    """Return a bid for each key whose holder is another and lost for good."""
    held = ((claim, holders.get(claim.gate_key)) for claim in claims)
    return [
        Takeover(claim, holder.owner)
        for claim, holder in held
        if holder is not None and holder.owner != claim.owner and is_lost(holder.owner)
    ]


def committable(
    shard: ShardKey, records: Sequence[JudgedRecord], holders: Mapping[bytes, Holder]
) -> Prefix:
    """Return the prefix of `records` whose every event has a holder.

    An event whose holder is its own place is new (or this record's own earlier attempt);
    any other holder makes it a duplicate, and a conflict if the contents differ.
    """
    lines: list[EventLine] = []
    rejected: list[RejectedOutcome] = []
    for number, judged in enumerate(records):
        own_lines: list[EventLine] = []
        for outcome in judged.outcomes:
            if outcome.event is None:
                continue
            holder = holders.get(outcome.event.gate_key)
            if holder is None:
                return _prefix(records[:number], lines, rejected, judged.record.seq)
            own_lines.append(_line(shard, judged, outcome.position, outcome.event, holder))
        lines += own_lines
        rejected += [RejectedOutcome(judged, each) for each in judged.outcomes if each.rejection]
    return _prefix(records, lines, rejected, None)


def _line(
    shard: ShardKey, judged: JudgedRecord, position: int, event: Event, holder: Holder
) -> EventLine:
    record = judged.record
    if holder.owner == Owner(str(shard), record.seq, position):
        return EventLine(event, CommittedLine(record.seq, position, record.arrival_ms))
    conflict = holder.content_hash != event.content_hash
    entry = CommittedLine(record.seq, position, record.arrival_ms, holder.owner, conflict)
    return EventLine(event, entry)


def _prefix(
    records: Sequence[JudgedRecord],
    lines: Sequence[EventLine],
    rejected: Sequence[RejectedOutcome],
    unresolved_seq: int | None,
) -> Prefix:
    return Prefix(tuple(records), tuple(lines), tuple(rejected), unresolved_seq)
