"""A whole schedule from a seed: a mapping's settings, what is put when, and everything that fails.

The same seed is the same schedule, on every machine and under every Python.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from random import Random
from typing import TypeVar

from millrace_mapping.core.mapping import MappingMachine
from millrace_mapping.core.records import StreamRecord
from millrace_mapping.core.settings import FOR_EVER, MappingSettings, Origin, Pace, Start
from millrace_mapping.simulation.audit import Audit
from millrace_mapping.simulation.faults import SeededFunction, SeededWeather, Spell
from millrace_mapping.simulation.roles import Function
from millrace_mapping.simulation.stream import MemoryStream
from millrace_mapping.simulation.world import World

T = TypeVar("T")
_HOUR_S = 3600.0
_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/simulated"
_FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:simulated"
_QUEUE = "arn:aws:sqs:us-east-1:000000000000:discarded"
_WANTED = '{"data": {"kind": [{"anything-but": ["noise"]}]}}'


@dataclass(slots=True)
class Run:
    """A world that is ready to run, and who watches it."""

    seed: int
    world: World
    audit: Audit
    description: str

    @property
    def hours(self) -> float:
        """How long it has lasted, in simulated hours."""
        return (self.world.now - self.audit.timeline.origin) / _HOUR_S

    def go(self) -> None:
        """Run to the end and check everything. Raises: Broken, Stuck."""
        self.world.run()
        self.audit.finish(self.world.now)


@dataclass(slots=True)
class Plan:
    """Draws the parts of one schedule."""

    draw: Random
    origin: float
    """When the mapping begins, in epoch seconds."""
    horizon_s: float

    def spells(self, most: int, longest_s: float) -> list[Spell]:
        """Return some spells within the horizon."""
        draw = self.draw
        return [Spell(at, at + draw.uniform(1, longest_s)) for at in self.times(most)]

    def times(self, most: int) -> list[float]:
        """Return some times within the horizon."""
        several = self.draw.randint(0, most)
        return [self.origin + self.draw.uniform(0, self.horizon_s) for _ in range(several)]

    def sometimes(self, likelihood: float, value: T, otherwise: T) -> T:
        """Return the value that often, else the other one."""
        return value if self.draw.random() < likelihood else otherwise


class Tale:
    """What a schedule is about. Others tell their own: with another function and other records."""

    origin = 0.0
    horizons_s: Sequence[float] = (60.0, 600.0, _HOUR_S, 6 * _HOUR_S)

    def settings(self, draw: Random) -> MappingSettings:
        """Draw the mapping's settings."""
        one = draw.choice
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

    def retention_s(self, draw: Random, settings: MappingSettings) -> float:
        """Draw the stream's retention: poison must not block a shard for good."""
        for_ever = settings.retries == FOR_EVER and settings.record_age_s == FOR_EVER
        return 2 * _HOUR_S if for_ever else draw.choice((inf, 2 * _HOUR_S))

    def data(self, draw: Random) -> bytes:
        """Draw a record."""
        return draw.choice((b'{"kind": "view"}', b'{"kind": "view"}', b'{"kind": "noise"}', b"?"))

    def is_wanted(self, record: StreamRecord) -> bool:
        """Tell whether the filter, if there is one, lets the record pass."""
        return b"noise" not in record.data and record.data.startswith(b"{")

    def function(self, plan: Plan, settings: MappingSettings) -> Function:
        """Draw the function."""
        return SeededFunction(
            plan.draw,
            settings,
            plan.spells(2, 1200),
            plan.spells(2, 300),
            plan.sometimes(0.5, 0.1, 0.0),
        )

    def weather(self, plan: Plan) -> SeededWeather:
        """Draw what happens to reads and deliveries."""
        rain = plan.sometimes(0.3, 0.1, 0.0)
        return SeededWeather(plan.draw, plan.spells(1, 400), plan.spells(1, 60), rain)


def build(
    seed: int, machine_type: type[MappingMachine] = MappingMachine, tale: Tale | None = None
) -> Run:
    """Return the schedule of a seed. machine_type: the engine under test."""
    tale = tale or Tale()
    draw = Random(seed)  # noqa: S311 - a reproducible schedule, not a secret
    plan = Plan(draw, tale.origin, draw.choice(tale.horizons_s))
    settings = tale.settings(draw)
    stream = MemoryStream(
        draw.choice((1, 1, 2, 3)),
        tale.retention_s(draw, settings),
        page_size=draw.choice((3, 50, 10_000)),
    )
    audit = Audit(settings, stream, tale.is_wanted if settings.filters else lambda _: True)
    audit.timeline.origin = tale.origin
    if settings.start.origin is Origin.LATEST:
        audit.since = tale.origin
    producer = _Producer(plan, tale, stream, audit)
    producer.put(draw.choice((0, 0, 5, 12)), tale.origin - 1)
    world = World(
        settings,
        stream,
        tale.function(plan, settings),
        audit,
        tale.weather(plan),
        Pace(longest_backoff_s=300.0),
        tale.origin,
        machine_type,
    )
    for when in plan.times(10):
        world.at(when, producer.later(draw.choice((1, 1, 2, 5, 15)), when))
    _plan_turns(plan, world)
    return Run(seed, world, audit, describe(settings))


@dataclass(frozen=True, slots=True)
class _Producer:
    plan: Plan
    tale: Tale
    stream: MemoryStream
    audit: Audit

    def put(self, several: int, now: float) -> None:
        for _ in range(several):
            key = f"key-{self.plan.draw.randrange(12)}"
            shard_id, record = self.stream.put(key, self.tale.data(self.plan.draw), now)
            self.audit.put(shard_id, record)
            told = "puts {} {} on {}"
            self.audit.timeline.add(now, "producer", told, record.sequence, key, shard_id)

    def later(self, several: int, when: float) -> Callable[[], None]:
        return lambda: self.put(several, when)


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


def _plan_turns(plan: Plan, world: World) -> None:
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


def _reshard(plan: Plan, world: World) -> None:
    shard_id = plan.draw.choice(world.stream.open_shards())
    adjacent = world.stream.adjacent(shard_id)
    if adjacent is not None and plan.draw.random() < 0.5:
        world.stream.merge(shard_id, adjacent)
    else:
        world.stream.split(shard_id)
