"""All shards of one mapping: which are read, from where, and what must outlive the process."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from millrace_mapping.core.lineage import Shard, readable
from millrace_mapping.core.settings import MappingSettings, Origin, Pace, Start
from millrace_mapping.core.shard import ShardMachine


@dataclass(frozen=True, slots=True)
class SavedShard:
    """What is known of a shard when the process is gone."""

    start: Start
    is_done: bool = False


class MappingMachine:
    """Gives each shard its machine as soon as its parents are done with."""

    shard_machine: type[ShardMachine] = ShardMachine

    def __init__(
        self,
        settings: MappingSettings,
        pace: Pace = Pace(),  # noqa: B008 - frozen
        saved: Mapping[str, SavedShard] | None = None,
    ) -> None:
        """Continue from what an earlier process saved, if there was one."""
        self.settings = settings
        self.retention_s = inf
        self.machines: dict[str, ShardMachine] = {}
        self._paused = not settings.enabled
        self._pace = pace
        self._shards = dict(saved or {})

    def pause(self, *, paused: bool) -> None:
        """Stop reading and invoking, or go on; what is under way is finished."""
        self._paused = paused
        for machine in self.machines.values():
            machine.paused = paused

    def listed(self, shards: Sequence[Shard], now: float) -> list[ShardMachine]:
        """Take note of the stream's shards; return the machines that begin with them."""
        is_first = not self._shards
        for shard in shards:
            if shard.shard_id not in self._shards:
                self._shards[shard.shard_id] = SavedShard(self._start_of(now, is_first=is_first))
        return list(self._begin(readable(shards, self._done())))

    def save(self) -> dict[str, SavedShard]:
        """Return what a later process needs to continue."""
        running = {
            shard_id: SavedShard(machine.resume_from, machine.is_done)
            for shard_id, machine in self.machines.items()
        }
        return self._shards | running

    def _done(self) -> set[str]:
        return {shard_id for shard_id, saved in self.save().items() if saved.is_done}

    def _begin(self, shard_ids: Sequence[str]) -> Iterator[ShardMachine]:
        for shard_id in shard_ids:
            if shard_id not in self.machines:
                start = self._shards[shard_id].start
                machine = self.shard_machine(
                    self.settings, shard_id, start, self._pace, self.retention_s
                )
                machine.paused = self._paused
                self.machines[shard_id] = machine
                yield machine

    def _start_of(self, now: float, *, is_first: bool) -> Start:
        """Return where a shard begins that was not known before.

        One that appears later holds what its parents would have held: it is read from its start.
        LATEST is meant as of the first listing, also for a shard that has to wait for its parents.
        """
        if self.settings.start.origin is Origin.AT_TIMESTAMP:
            return self.settings.start
        if is_first and self.settings.start.origin is Origin.LATEST:
            return Start(Origin.AT_TIMESTAMP, at=now)
        return Start(Origin.TRIM_HORIZON)
