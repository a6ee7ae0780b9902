"""A plan: exactly which events a replay sends, what will be whole, and what it will take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from millrace.replay.errors import PlanBroken
from millrace.replay.selection import Selection
from millrace.times import format_ms, parse_rfc3339

HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class Chunk:
    """One object of the plan: some thousands of messages, in the order they are sent in."""

    key: str
    messages: int
    sha256: str
    """Of the object's bytes: apply refuses an object that is not the planned one."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a replay will take; `millrace.replay.estimate` says how it is reckoned."""

    seconds: float
    usd: float
    write_units: float


@dataclass(frozen=True, slots=True)
class Plan:
    """What `apply` will do, stored before it is done. `plan_hash` names every byte of it."""

    plan_id: str
    created_at: datetime
    created_by: str
    selection: Selection
    defs_version: str
    events: int
    duplicates: int
    """Of `events`, those that repeat an earlier one; 0 unless they are included."""
    objects: int
    """Raw objects that hold them."""
    members: int
    """Gzip members to fetch: the Range GETs if each is fetched once."""
    read_bytes: int
    first_event: datetime | None
    last_event: datetime | None
    chunks: tuple[Chunk, ...]
    coverage: Mapping[str, Any]
    """`{"windows": [...], "metrics": [...]}`, as `millrace.replay.coverage` writes them."""
    estimate: Estimate
    rate: int
    """Messages a second that the estimate supposes."""

    @property
    def messages(self) -> int:
        """One for each event."""
        return self.events

    @property
    def plan_hash(self) -> str:
        """What apply will run, and with which definitions: equal hashes mean equal replays."""
        what = {
            "selection": self.selection.to_fields(),
            "defs_version": self.defs_version,
            "chunks": [[each.messages, each.sha256] for each in self.chunks],
        }
        return sha256(orjson.dumps(what, option=orjson.OPT_SORT_KEYS)).hexdigest()[:HASH_DIGITS]

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "plan_id": self.plan_id,
            "plan_hash": self.plan_hash,
            "created_at": format_ms(self.created_at),
            "created_by": self.created_by,
            "selection": self.selection.to_fields(),
            "defs_version": self.defs_version,
            "events": self.events,
            "messages": self.messages,
            "duplicates": self.duplicates,
            "objects": self.objects,
            "members": self.members,
            "read_bytes": self.read_bytes,
            "first_event": format_ms(self.first_event) if self.first_event else None,
            "last_event": format_ms(self.last_event) if self.last_event else None,
            "chunks": [[each.key, each.messages, each.sha256] for each in self.chunks],
            "coverage": self.coverage,
            "estimate": {
                "seconds": self.estimate.seconds,
                "usd": self.estimate.usd,
                "write_units": self.estimate.write_units,
            },
            "rate": self.rate,
        }

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Plan":
        """Return the plan that `to_fields` wrote.

        Raises:
            PlanBroken: its hash is not that of its content.
        """
        estimate = fields["estimate"]
        plan = cls(
            plan_id=fields["plan_id"],
            created_at=parse_rfc3339(fields["created_at"]),
            created_by=fields["created_by"],
            selection=Selection.from_fields(fields["selection"]),
            defs_version=fields["defs_version"],
            events=fields["events"],
            duplicates=fields["duplicates"],
            objects=fields["objects"],
            members=fields["members"],
            read_bytes=fields["read_bytes"],
            first_event=_time(fields["first_event"]),
            last_event=_time(fields["last_event"]),
            chunks=tuple(Chunk(*each) for each in fields["chunks"]),
            coverage=fields["coverage"],
            estimate=Estimate(estimate["seconds"], estimate["usd"], estimate["write_units"]),
            rate=fields["rate"],
        )
        if plan.plan_hash != fields["plan_hash"]:
            raise PlanBroken(
                f"plan {plan.plan_id} is not what it was when it was made; make a new plan"
            )
        return plan

    def at_rate(self, rate: int, estimate: Estimate) -> "Plan":
        """Return the same plan, reckoned at another rate; its hash does not change."""
        return replace(self, rate=rate, estimate=estimate)


def chunk_of(key: str, bodies: Sequence[bytes], packed: bytes) -> Chunk:
    """Return the chunk that `packed` holds."""
    return Chunk(key, len(bodies), sha256(packed).hexdigest())


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_rfc3339(text)
