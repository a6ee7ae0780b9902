"""Runs one mapping: a runner for each shard, and what must outlive the process."""

import threading
import time
from collections.abc import Mapping, Sequence

from millrace_mapping.core.mapping import MappingMachine, SavedShard
from millrace_mapping.core.measures import Measure
from millrace_mapping.core.settings import MappingSettings, Pace
from millrace_mapping.ports import ReadFailed
from millrace_mapping.shard_runner import Clock, Ports, ShardRunner


class MappingRunner:
    """Drives all shards of one mapping; `look` is called about every second."""

    def __init__(
        self,
        settings: MappingSettings,
        ports: Ports,
        pace: Pace,
        saved: Mapping[str, SavedShard],
        clock: Clock = time.time,
    ) -> None:
        """Continue from what an earlier one saved."""
        self.settings = settings
        self.lock = threading.Lock()
        self.mapping = MappingMachine(settings, pace, saved)
        self.shards: dict[str, ShardRunner] = {}
        self.problem: str | None = None
        self._ports = ports
        self._clock = clock
        self._stopping = False

    def look(self) -> None:
        """Find shards that can be read now, and publish what was measured."""
        if not self._stopping:
            self._find_shards()
        if measures := self._measures():
            self._ports.metrics.publish(measures)

    def stop(self) -> None:
        """Let what is under way come to its end."""
        self._stopping = True
        for shard in self.shards.values():
            shard.stop()

    @property
    def is_running(self) -> bool:
        """Tell whether any shard is still being worked on."""
        return any(shard.is_running for shard in self.shards.values())

    def save(self) -> dict[str, SavedShard]:
        """Return what a later one needs to continue."""
        with self.lock:
            return self.mapping.save()

    def _find_shards(self) -> None:
        try:
            shards = self._ports.stream.shards()
            if not self.shards:
                self.mapping.retention_s = self._ports.stream.retention_s()
        except ReadFailed as err:
            self.problem = f"{err.fault}: {err}"
            return
        self.problem = None
        with self.lock:
            begun = self.mapping.listed(shards, self._clock())
        for machine in begun:
            runner = ShardRunner(machine, self._ports, self.lock, self._clock)
            self.shards[machine.shard_id] = runner
            runner.start()

    def _measures(self) -> Sequence[Measure]:
        with self.lock:
            machines = list(self.mapping.machines.values())
            return [measure for machine in machines for measure in machine.take_measures()]
