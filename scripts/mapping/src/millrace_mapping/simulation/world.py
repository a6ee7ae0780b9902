"""Carries the core's effects out against a stream in memory, on a virtual clock.

Nothing happens between two events, so hours without records cost nothing. Given the same stream,
function and faults, a run is the same every time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from math import ceil, inf

from millrace_mapping.core.effects import (
    Deliver,
    Effect,
    Invoke,
    OpenIterator,
    Page,
    ReadPage,
)
from millrace_mapping.core.mapping import MappingMachine, SavedShard
from millrace_mapping.core.settings import MappingSettings, Pace, Start
from millrace_mapping.core.shard import ShardMachine
from millrace_mapping.simulation.roles import FairWeather, Function, Watcher, Weather
from millrace_mapping.simulation.stream import MemoryStream, ReadFailed

_DISCOVERY_S = 30.0
_SAVE_S = 5.0
_READ_S = 0.02
_MOST_EVENTS = 200_000


class Stuck(Exception):
    """The simulation goes on and on."""


@dataclass(slots=True)
class World:
    """One mapping on one stream, with everything that is going to happen to them."""

    settings: MappingSettings
    stream: MemoryStream
    function: Function
    watcher: Watcher
    weather: Weather = field(default_factory=FairWeather)
    pace: Pace = field(default_factory=Pace)
    now: float = 0.0
    machine_type: type[MappingMachine] = MappingMachine
    mapping: MappingMachine = field(init=False)
    _queue: list[tuple[float, int, int, Callable[[], None]]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)
    _external: list[float] = field(default_factory=list)
    _epoch: int = 0
    _saved: dict[str, SavedShard] = field(default_factory=dict)
    _saved_at: float = -inf
    _wakes: dict[str, float] = field(default_factory=dict)
    _tips: dict[str, tuple[int, bool]] = field(default_factory=dict)
    _done: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Start the mapping."""
        self.mapping = self._started()

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Let something happen from outside at that time."""
        heappush(self._external, when)

        def happen() -> None:
            heappop(self._external)
            action()
            self._discover()

        heappush(self._queue, (when, next(self._order), -1, happen))

    def run(self) -> None:
        """Go on until nothing is left to happen. Raises: Stuck."""
        self._discover()
        for _ in range(_MOST_EVENTS):
            if not self._queue:
                return
            when, _, epoch, action = heappop(self._queue)
            if when - self._saved_at >= _SAVE_S:  # as a timer did meanwhile
                self._saved, self._saved_at = self.mapping.save(), when
            self.now = max(self.now, when)
            if epoch in (-1, self._epoch):
                action()
        raise Stuck(f"more than {_MOST_EVENTS} events")

    def crash(self) -> None:
        """Lose the mapping's process, and what it had not saved; start another."""
        self._epoch += 1
        self._wakes.clear()
        self._tips.clear()
        self._done.clear()
        self.watcher.crashed(self.now)
        self.mapping = self._started()

    def pause(self) -> None:
        """Disable the mapping: what runs is finished, nothing new begins."""
        self.mapping.pause(paused=True)

    def resume(self) -> None:
        """Enable the mapping again."""
        self.mapping.pause(paused=False)
        for machine in list(self.mapping.machines.values()):
            self._pump(machine)

    def _started(self) -> MappingMachine:
        mapping = self.machine_type(self.settings, self.pace, self._saved)
        mapping.retention_s = self.stream.retention_s
        return mapping

    def _discover(self) -> None:
        """Begin with the shards that can be read now."""
        for machine in self.mapping.listed(self.stream.shards(), self.now):
            self.watcher.began(machine.shard_id, self.now)
            self._pump(machine)

    def _later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Let something happen within this life of the mapping's process."""
        heappush(self._queue, (self.now + delay_s, next(self._order), self._epoch, action))

    def _pump(self, machine: ShardMachine) -> None:
        effects = machine.effects(self.now)
        for discard in machine.take_discards():
            self.watcher.discarded(machine.shard_id, discard, self.now)
        for effect in effects:
            self._carry_out(machine, effect)
        if machine.is_done and machine.shard_id not in self._done:
            self._done.add(machine.shard_id)  # its children may begin
            self._saved, self._saved_at = self.mapping.save(), self.now
            self._discover()
            return
        lanes_at, read_at = machine.wakes()
        read_at = inf if read_at is None else self._after_idle_hours(machine, read_at)
        wake_at = max(min(inf if lanes_at is None else lanes_at, read_at), self.now)
        if wake_at == inf or self._wakes.get(machine.shard_id) == wake_at:
            return
        self._wakes[machine.shard_id] = wake_at
        self._later(wake_at - self.now, lambda: self._wake(machine, wake_at))

    def _wake(self, machine: ShardMachine, wake_at: float) -> None:
        if self._wakes.get(machine.shard_id) == wake_at:
            del self._wakes[machine.shard_id]
            self._pump(machine)

    def _after_idle_hours(self, machine: ShardMachine, wake_at: float) -> float:
        """Return the first poll that can bring anything: those before it need not be played."""
        shard_id = machine.shard_id
        if self._tips.get(shard_id) != self.stream.version(shard_id):
            return wake_at
        if not self._external:
            return inf
        ahead = max(0.0, self._external[0] - wake_at)
        wake_at += ceil(ahead / self.pace.idle_s) * self.pace.idle_s
        self.stream.renew(shard_id, wake_at - self.pace.idle_s)
        return wake_at

    def _carry_out(self, machine: ShardMachine, effect: Effect) -> None:
        match effect:
            case Invoke():
                self._invoke(machine, effect)
            case Deliver():
                self._deliver(machine, effect)
            case OpenIterator() | ReadPage():
                self._later(_READ_S, lambda: self._read(machine, effect))

    def _read(self, machine: ShardMachine, effect: OpenIterator | ReadPage) -> None:
        shard_id = machine.shard_id
        try:
            if isinstance(effect, OpenIterator):
                machine.opened(self._iterator(shard_id, effect.start))
            else:
                page = self._page(shard_id, effect.iterator)
                self.watcher.page_read(shard_id, page, self.now)
                machine.page_read(page, self.now)
        except ReadFailed as err:
            self.watcher.read_failed(shard_id, err.fault, self.now)
            machine.read_failed(err.fault, self.now)
        self._pump(machine)

    def _iterator(self, shard_id: str, start: Start) -> str:
        self._weather_allows()
        return self.stream.open_iterator(shard_id, start, self.now)

    def _page(self, shard_id: str, iterator: str) -> Page:
        self._weather_allows()
        page = self.stream.read(iterator, self.now)
        if not page.records and page.behind_ms == 0:
            self._tips[shard_id] = self.stream.version(shard_id)
        return page

    def _weather_allows(self) -> None:
        fault = self.weather.read_fault(self.now)
        if fault is not None:
            raise ReadFailed(fault)

    def _invoke(self, machine: ShardMachine, effect: Invoke) -> None:
        self.watcher.invoked(machine.shard_id, effect, self.now)
        attempt = self.function.invoke(machine.shard_id, effect.batch, self.now)

        def answer() -> None:
            self.watcher.answered(machine.shard_id, effect, attempt, self.now)
            if attempt.answer is None:
                machine.not_invoked(effect.lane, "throttled", self.now)
            else:
                machine.answered(effect.lane, attempt.answer, self.now)
            self._pump(machine)

        self._later(attempt.duration_s, answer)

    def _deliver(self, machine: ShardMachine, effect: Deliver) -> None:
        def arrive() -> None:
            failure = self.weather.destination_fault(self.now)
            self.watcher.delivered(machine.shard_id, effect.discard, failure, self.now)
            machine.delivered(effect.lane, self.now, failure=failure)
            self._pump(machine)

        self._later(_READ_S, arrive)
