"""A whole schedule from a seed: a mapping's settings, what is put when, and everything that fails.

The same seed is the same schedule, on every machine and under every Python.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from random import Random
from typing import TypeVar

from millrace_mapping.core.effects import ReadFault
from millrace_mapping.core.mapping import MappingMachine
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import FOR_EVER, MappingSettings, Origin, Pace, Start
from millrace_mapping.simulation.audit import Audit
from millrace_mapping.simulation.stream import MemoryStream
from millrace_mapping.simulation.world import Attempt, World

T = TypeVar("T")
_HOUR_S = 3600.0
_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/simulated"
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:simulated"
_QUEUE = "arn:aws:sqs:us-east-1:000000000000:discarded"
_WANTED = '{"data": {"kind": [{"anything-but": ["noise"]}]}}'
NO_ITEMS = b'{"batchItemFailures": []}'


@dataclass(frozen=True, slots=True)
class Spell:
    """A time during which something fails."""

    begins: float
    ends: float

    def covers(self, now: float) -> bool:
        """Tell whether it is on."""
        return self.begins <= now < self.ends


@dataclass(slots=True)
class SeededWeather:
    """Throttled and failing reads, expired iterators and a destination that is away at times."""

    draw: Random
    reads: list[Spell]
    destination: list[Spell]
    rain: float

    def read_fault(self, now: float) -> ReadFault | None:
        """Return why a read fails now; None if it does not."""
        if any(spell.covers(now) for spell in self.reads):
            return ReadFault.UNAVAILABLE
        if self.draw.random() >= self.rain:
            return None
        return self.draw.choice((ReadFault.THROTTLED, ReadFault.EXPIRED, ReadFault.UNAVAILABLE))

    def destination_fault(self, now: float) -> str | None:
        """Return why a delivery fails now; None if it does not."""
        return "away" if any(spell.covers(now) for spell in self.destination) else None


@dataclass(slots=True)
class SeededFunction:
    """Fails on poison, in outages and now and then; answers in every documented way."""

    draw: Random
    settings: MappingSettings
    poison: set[str]
    outages: list[Spell]
    throttles: list[Spell]
    flakiness: float
    """How likely an invocation is to fail for no reason."""

    def invoke(self, shard_id: str, batch: Batch, now: float) -> Attempt:
        """Return what comes of invoking it with the batch."""
        del shard_id
        duration_s = self.draw.choice((0.02, 0.3, 2.0, 15.0))
        if any(spell.covers(now) for spell in self.throttles):
            return Attempt(None, 0, 0.02)
        if any(spell.covers(now) for spell in self.outages):
            return Attempt(Answer(b"", "Sandbox.Timedout"), 0, duration_s)
        sequences = [record.sequence for record in batch.records]
        bad = [n for n, sequence in enumerate(sequences) if sequence in self.poison]
        if not bad and self.draw.random() < self.flakiness:
            bad = [self.draw.randrange(len(sequences))]
        if not bad:
            return Attempt(
                Answer(self.draw.choice((NO_ITEMS, b"null", b"{}"))), len(sequences), duration_s
            )
        return self._failed(sequences, bad, duration_s)

    def _failed(self, sequences: list[str], bad: list[int], duration_s: float) -> Attempt:
        how = self.draw.random()
        if not self.settings.reports_item_failures or how < 0.4:
            return Attempt(Answer(b"", "ValueError"), 0, duration_s)
        if how < 0.5:
            identifier = self.draw.choice(("", None, "not of this batch", 7))
            failures = [{"itemIdentifier": identifier}]
            return Attempt(Answer(_failures(failures)), 0, duration_s)
        self.draw.shuffle(bad)
        failures = [{"itemIdentifier": sequences[n]} for n in bad]
        return Attempt(Answer(_failures(failures)), min(bad), duration_s)


@dataclass(slots=True)
class Run:
    """A world that is ready to run, and who watches it."""

    seed: int
    world: World
    audit: Audit
    hours: float
    description: str

    def go(self) -> None:
        """Run to the end and check everything. Raises: Broken, Stuck."""
        self.world.run()
        self.audit.finish(self.world.now)


@dataclass(slots=True)
class _Plan:
    """Draws the parts of one schedule."""

    draw: Random
    horizon_s: float
    poison: set[str] = field(default_factory=set)

    def settings(self) -> MappingSettings:
        one = self.draw.choice
        return MappingSettings(
            uuid="simulated",
            stream_arn=_ARN,
            function_arn=_FUNCTION,
            role_arn="role",
            batch_size=one((1, 2, 3, 7, 20, 100)),
            window_s=one((0.0, 0.0, 1.0, 5.0, 60.0)),
            start=one((Start(Origin.TRIM_HORIZON),) * 3 + (Start(Origin.LATEST),)),
            reports_item_failures=one((True, True, False)),
            retries=one((FOR_EVER, 0, 1, 2, 5)),
            record_age_s=one((FOR_EVER, FOR_EVER, 60, 300, 3600)),
            bisects=one((True, False)),
            parallelization=one((1, 1, 2, 3, 10)),
            destination_arn=one((_QUEUE, _QUEUE, None)),
            filters=one(((), (), (_WANTED,))),
        )

    def spells(self, most: int, longest_s: float) -> list[Spell]:
        spells = []
        for _ in range(self.draw.randint(0, most)):
            begins = self.draw.uniform(0, self.horizon_s)
            spells.append(Spell(begins, begins + self.draw.uniform(1, longest_s)))
        return spells

    def times(self, most: int) -> list[float]:
        return [self.draw.uniform(0, self.horizon_s) for _ in range(self.draw.randint(0, most))]

    def sometimes(self, likelihood: float, value: T, otherwise: T) -> T:
        return value if self.draw.random() < likelihood else otherwise


def build(seed: int, machine_type: type[MappingMachine] = MappingMachine) -> Run:
    """Return the schedule of a seed. machine_type: the engine under test."""
    draw = Random(seed)  # noqa: S311 - a reproducible schedule, not a secret
    plan = _Plan(draw, horizon_s=draw.choice((60.0, 600.0, _HOUR_S, 6 * _HOUR_S)))
    settings = plan.settings()
    retention_s = draw.choice((inf, 2 * _HOUR_S))
    if settings.retries == FOR_EVER and settings.record_age_s == FOR_EVER:
        retention_s = 2 * _HOUR_S  # else poison would block for good
    stream = MemoryStream(
        draw.choice((1, 1, 2, 3)), retention_s, page_size=draw.choice((3, 50, 10_000))
    )
    audit = Audit(settings, stream, _is_wanted if settings.filters else lambda _: True)
    if settings.start.origin is Origin.LATEST:
        audit.since = 0.0
    function = SeededFunction(
        draw,
        settings,
        plan.poison,
        plan.spells(2, 1200),
        plan.spells(2, 300),
        plan.sometimes(0.5, 0.1, 0.0),
    )
    weather = SeededWeather(
        draw, plan.spells(1, 400), plan.spells(1, 60), plan.sometimes(0.3, 0.1, 0.0)
    )
    _put_before(plan, stream, audit)
    pace = Pace(longest_backoff_s=300.0)
    world = World(settings, stream, function, audit, weather, pace, machine_type=machine_type)
    _plan_puts(plan, world, audit)
    _plan_turns(plan, world)
    return Run(seed, world, audit, plan.horizon_s / _HOUR_S, describe(settings))


def describe(settings: MappingSettings) -> str:
    """Return the settings in a line."""
    parts = [
        f"batch {settings.batch_size}",
        f"window {settings.window_s:g} s",
        f"from {settings.start.origin}",
        f"retries {settings.retries}",
        f"age {settings.record_age_s} s",
        f"lanes {settings.parallelization}",
        *(["bisect"] if settings.bisects else []),
        *(["item failures"] if settings.reports_item_failures else []),
        *(["filter"] if settings.filters else []),
        "to a queue" if settings.destination_arn else "no destination",
    ]
    return ", ".join(parts)


def _failures(failures: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps({"batchItemFailures": failures}).encode()


def _is_wanted(record: StreamRecord) -> bool:
    return b"noise" not in record.data and record.data.startswith(b"{")


def _put_before(plan: _Plan, stream: MemoryStream, audit: Audit) -> None:
    """Put what is there when the mapping begins."""
    for _ in range(plan.draw.choice((0, 0, 5, 12))):
        _put(plan, stream, audit, -1.0)


def _plan_puts(plan: _Plan, world: World, audit: Audit) -> None:
    for when in plan.times(10):
        several = plan.draw.choice((1, 1, 2, 5, 15))

        def put(several: int = several) -> None:
            for _ in range(several):
                _put(plan, world.stream, audit, world.now)

        world.at(when, put)


def _put(plan: _Plan, stream: MemoryStream, audit: Audit, now: float) -> None:
    key = f"key-{plan.draw.randrange(12)}"
    data = plan.draw.choice((b'{"kind": "view"}', b'{"kind": "view"}', b'{"kind": "noise"}', b"?"))
    shard_id, record = stream.put(key, data, now)
    if plan.draw.random() < 0.04:
        plan.poison.add(record.sequence)
    audit.put(shard_id, record)
    audit.timeline.add(
        max(now, 0.0), "producer", "puts {} {} on {}", record.sequence, key, shard_id
    )


def _plan_turns(plan: _Plan, world: World) -> None:
    """Reshard, crash, pause and resume."""
    turns: tuple[tuple[int, Callable[[], None]], ...] = (
        (2, lambda: _reshard(plan, world)),
        (2, world.crash),
    )
    for most, turn in turns:
        for when in plan.times(most):
            world.at(when, turn)
    for spell in plan.spells(1, 900):
        world.at(spell.begins, world.pause)
        world.at(spell.ends, world.resume)


def _reshard(plan: _Plan, world: World) -> None:
    shard_id = plan.draw.choice(world.stream.open_shards())
    adjacent = world.stream.adjacent(shard_id)
    if adjacent is not None and plan.draw.random() < 0.5:
        world.stream.merge(shard_id, adjacent)
    else:
        world.stream.split(shard_id)
