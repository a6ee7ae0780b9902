"""A small schedule told step by step: what is put when, and how the function answers each call."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from millrace_mapping.core.discards import Discard
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import MappingSettings, Origin, Pace, Start
from millrace_mapping.simulation.audit import Audit
from millrace_mapping.simulation.roles import Attempt, FairWeather, Weather
from millrace_mapping.simulation.stream import MemoryStream
from millrace_mapping.simulation.timeline import numbers
from millrace_mapping.simulation.world import World

Reaction = Callable[[Sequence[str]], Attempt]
"""Takes the sequence numbers of a batch."""

FIRST = 1_000  # sequence numbers begin here; scenes count from 0
_CALL_S = 0.1


def succeeds(sequences: Sequence[str]) -> Attempt:
    """Process the whole batch."""
    return Attempt(Answer(b'{"batchItemFailures": []}'), len(sequences), _CALL_S)


def raises(sequences: Sequence[str]) -> Attempt:
    """Raise an exception before anything is processed."""
    del sequences
    return Attempt(Answer(b"", "ValueError: told to"), 0, _CALL_S)


def throttled(sequences: Sequence[str]) -> Attempt:
    """Refuse the invocation: the function is never reached."""
    del sequences
    return Attempt(None, 0, _CALL_S)


def poisoned(*poison: int) -> Reaction:
    """Raise whenever one of these records is in the batch."""

    def react(sequences: Sequence[str]) -> Attempt:
        bad = any(int(sequence) - FIRST in poison for sequence in sequences)
        return raises(sequences) if bad else succeeds(sequences)

    return react


def reports(*failed: int) -> Reaction:
    """Process all before the lowest of these records; report them in this order."""

    def react(sequences: Sequence[str]) -> Attempt:
        lowest = list(sequences).index(str(FIRST + min(failed)))
        items = [{"itemIdentifier": str(FIRST + number)} for number in failed]
        return Attempt(Answer(json.dumps({"batchItemFailures": items}).encode()), lowest, _CALL_S)

    return react


def answers(response: Any, *, done: bool) -> Reaction:  # noqa: ANN401 - JSON or bytes
    """Return a response of any shape; done: whether that is a success."""
    payload = response if isinstance(response, bytes) else json.dumps(response).encode()
    return lambda sequences: Attempt(Answer(payload), len(sequences) if done else 0, _CALL_S)


def lasting(seconds: float, reaction: Reaction = succeeds) -> Reaction:
    """Let a reaction take longer."""
    return lambda sequences: replace(reaction(sequences), duration_s=seconds)


@dataclass(frozen=True, slots=True)
class Call:
    """One invocation."""

    at: float
    shard_id: str
    sequences: tuple[str, ...]

    def __str__(self) -> str:
        """Return when, and which records, counted from 0."""
        return f"{self.at:g}: {counted(self.sequences)}"


@dataclass(slots=True)
class _Scripted:
    script: list[Reaction]
    otherwise: Reaction
    calls: list[Call]

    def invoke(self, shard_id: str, batch: Batch, now: float) -> Attempt:
        sequences = tuple(record.sequence for record in batch.records)
        self.calls.append(Call(round(now, 2), shard_id, sequences))
        return (self.script.pop(0) if self.script else self.otherwise)(sequences)


class Scene:
    """One mapping on one stream; the audit watches every scene too."""

    def __init__(
        self,
        *script: Reaction,
        otherwise: Reaction = succeeds,
        shards: int = 1,
        retention_s: float = inf,
        weather: Weather | None = None,
        **settings: Any,  # noqa: ANN401 - of MappingSettings
    ) -> None:
        """Take the function's reactions in order; after them it reacts as `otherwise`."""
        defaults: dict[str, Any] = {
            "uuid": "mapping",
            "stream_arn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "function_arn": "arn:aws:lambda:us-east-1:000000000000:function:f",
            "role_arn": "arn:aws:iam::000000000000:role/f",
            "start": Start(Origin.TRIM_HORIZON),
        }
        self.settings = MappingSettings(**(defaults | settings))
        self.stream = MemoryStream(shards, retention_s)
        self.audit = Audit(self.settings, self.stream)
        self.calls: list[Call] = []
        self.world = World(
            self.settings,
            self.stream,
            _Scripted(list(script), otherwise, self.calls),
            self.audit,
            weather or FairWeather(),
            Pace(),
        )

    def put(self, *keys: str, at: float = 0.0, data: bytes = b"{}") -> "Scene":
        """Put a record for each key at that time; before 0 it is there already."""

        def happen() -> None:
            for key in keys:
                shard_id, record = self.stream.put(key, data, at)
                self.audit.put(shard_id, record)

        if at <= 0:
            happen()
        else:
            self.world.at(at, happen)
        return self

    def at(self, when: float, action: Callable[[], object]) -> "Scene":
        """Let something else happen at that time."""

        def happen() -> None:
            action()

        self.world.at(when, happen)
        return self

    def run(self) -> "Scene":
        """Play the scene and check all promises. Raises: Broken, Stuck."""
        self.world.run()
        self.audit.finish(self.world.now)
        return self

    def told(self) -> list[str]:
        """Return the invocations: when, and which records."""
        return [str(call) for call in self.calls]

    def batches(self) -> list[str]:
        """Return which records each invocation had."""
        return [counted(call.sequences) for call in self.calls]

    def discarded(self) -> list[str]:
        """Return what was given up and why."""
        return [f"{_records_of(each)}: {each.condition}" for each in self.audit.discards]

    def delivered(self) -> list[str]:
        """Return what the destination has received."""
        return [_records_of(each) for each in self.audit.deliveries]


def counted(sequences: Iterable[str]) -> str:
    """Return sequence numbers as a scene counts them."""
    return numbers(str(int(sequence) - FIRST) for sequence in sequences)


def _records_of(discard: Discard) -> str:
    return counted(record.sequence for record in discard.records)
