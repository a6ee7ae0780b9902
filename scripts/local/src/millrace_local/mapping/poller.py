"""All mappings of an engine: finds them, gives each shard a thread, reports their progress."""

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace_local.mapping.aws import Aws
from millrace_local.mapping.records import RecordEncoder
from millrace_local.mapping.settings import MappingSettings, read_mapping, unsupported
from millrace_local.mapping.shard import ShardConsumer, ShardEnded, Unavailable
from millrace_local.mapping.state import MappingProgress, ShardProgress, read_state, write_state

logger = logging.getLogger(__name__)

_REPORT_S = 0.2
_DISCOVERY_S = 1.0
# Without an answer for so long the engine has ended, however it did: so does its poller.
_ORPHANED_S = 30.0


@dataclass(frozen=True)
class _Worker:
    thread: threading.Thread
    stopping: threading.Event
    settings: MappingSettings


class Poller:
    """Runs the Kinesis mappings that exist at the moment."""

    def __init__(self, aws: Aws, state: Path, stopping: threading.Event) -> None:
        """Continue where the state file says that an earlier poller was."""
        self._aws = aws
        self._state = state
        self._stopping = stopping
        self._remembered = read_state(state)
        self._progress: dict[str, MappingProgress] = {}
        self._workers: dict[tuple[str, str], _Worker] = {}

    def run(self) -> None:
        """Poll until told to stop or the engine has gone."""
        found_at = time.monotonic()
        next_discovery = 0.0
        while not self._stopping.is_set():
            if time.monotonic() >= next_discovery:
                if self._discover():
                    found_at = time.monotonic()
                elif time.monotonic() - found_at > _ORPHANED_S:
                    logger.error("engine gone, ending")
                    break
                next_discovery = time.monotonic() + _DISCOVERY_S
            write_state(self._state, self._progress)
            self._stopping.wait(_REPORT_S)
        self._end(list(self._workers))
        write_state(self._state, self._progress)

    def _discover(self) -> bool:
        """Bring the threads in line with the mappings; False if the engine does not answer."""
        try:
            found = list(self._aws.mappings())
            wanted = {key for mapping in found for key in self._mapping_shards(mapping)}
        except Unavailable as err:
            logger.warning("engine does not answer: %s", err)
            return False
        except ShardEnded:
            return True  # a stream or function was deleted between two calls: look again
        gone = [key for key in self._workers if key not in wanted]
        self._end(gone)
        for uuid in set(self._progress) - {mapping["UUID"] for mapping in found}:
            del self._progress[uuid]
        return True

    def _mapping_shards(self, mapping: Mapping[str, Any]) -> list[tuple[str, str]]:
        uuid = mapping["UUID"]
        settings = read_mapping(mapping, self._role(mapping))
        shards = self._aws.shards(settings.stream_arn)
        if uuid not in self._progress:
            ignored = unsupported(mapping)
            if ignored:
                logger.warning("mapping %s: not supported, ignored: %s", uuid, ", ".join(ignored))
            self._progress[uuid] = MappingProgress(
                settings.stream_arn, settings.function_arn, ignored
            )
        for shard_id in shards:
            self._ensure(settings, shard_id)
        return [(uuid, shard_id) for shard_id in shards]

    def _role(self, mapping: Mapping[str, Any]) -> str:
        for (uuid, _), worker in self._workers.items():
            if uuid == mapping["UUID"]:
                return worker.settings.role_arn
        return self._aws.role_of(mapping["FunctionArn"])

    def _ensure(self, settings: MappingSettings, shard_id: str) -> None:
        key = (settings.uuid, shard_id)
        existing = self._workers.get(key)
        if existing and existing.settings == settings:
            return
        if existing:
            self._end([key])  # the mapping was changed
        progress = self._resumed(settings, shard_id)
        shards = self._progress[settings.uuid].shards
        self._progress[settings.uuid].shards = {**shards, shard_id: progress}
        self._workers[key] = self._begin(settings, shard_id, progress)

    def _resumed(self, settings: MappingSettings, shard_id: str) -> ShardProgress:
        for known in (self._progress, self._remembered):
            earlier = known.get(settings.uuid)
            if earlier and earlier.stream_arn == settings.stream_arn and shard_id in earlier.shards:
                return ShardProgress(position=earlier.shards[shard_id].position)
        return ShardProgress()

    def _begin(self, settings: MappingSettings, shard_id: str, progress: ShardProgress) -> _Worker:
        consumer = ShardConsumer(
            settings,
            RecordEncoder(settings, shard_id),
            self._aws.source(settings, shard_id, progress.position),
            lambda payload: self._aws.invoke(settings.function_arn, payload),
            time.time,
            progress,
        )
        stopping = threading.Event()
        name = f"{settings.stream_arn.rpartition('/')[2]}:{shard_id}"
        # A daemon: at the end an invocation in flight is not waited for, its batch comes again.
        thread = threading.Thread(
            target=_consume, args=(consumer, stopping), name=name, daemon=True
        )
        thread.start()
        logger.info("polling %s for %s after %s", name, settings.function_arn, progress.position)
        return _Worker(thread, stopping, settings)

    def _end(self, keys: list[tuple[str, str]]) -> None:
        for key in keys:
            self._workers[key].stopping.set()
        for key in keys:
            self._workers.pop(key).thread.join(timeout=2)


def _consume(consumer: ShardConsumer, stopping: threading.Event) -> None:
    try:
        while not stopping.wait(consumer.step()):
            pass
    except ShardEnded:
        consumer.progress.closed = True
        logger.info("%s has ended", threading.current_thread().name)
    except Exception as err:  # the thread's last line: a shard must not end in silence
        logger.exception("%s stopped", threading.current_thread().name)
        consumer.progress.blocked = f"the poller failed: {type(err).__name__}: {err}"
