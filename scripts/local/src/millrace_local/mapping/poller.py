"""All mappings of an engine: finds them, runs them, follows their changes, reports progress."""

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from millrace_local.mapping.progress import progress_of, saved_of
from millrace_local.mapping.state import MappingProgress, read_state, write_state
from millrace_mapping.aws.mappings import Unavailable
from millrace_mapping.core.filtering import InvalidPattern
from millrace_mapping.core.settings import MappingSettings, Pace, unsupported
from millrace_mapping.runner import MappingRunner
from millrace_mapping.shard_runner import Ports

logger = logging.getLogger(__name__)

_REPORT_S = 0.2
_DISCOVERY_S = 1.0
# Without an answer for so long the engine has ended, however it did: so does its poller.
_ORPHANED_S = 30.0
# Faster than AWS, where nobody sits waiting; still below five reads a second and shard.
PACE = Pace(idle_s=0.2, first_backoff_s=0.2, longest_backoff_s=5.0)


class Source(Protocol):
    """Where mappings come from, and what each is run with."""

    def found(self) -> Iterator[tuple[Mapping[str, Any], MappingSettings]]:
        """Yield the mappings. Raises: Unavailable."""
        ...

    def ports(self, settings: MappingSettings) -> Ports:
        """Return what a mapping is run with. Raises: Unavailable."""
        ...


class Poller:
    """Runs the Kinesis mappings that exist at the moment."""

    def __init__(self, source: Source, state: Path, stopping: threading.Event) -> None:
        """Continue where the state file says that an earlier poller was."""
        self._source = source
        self._state = state
        self._stopping = stopping
        self._progress: dict[str, MappingProgress] = read_state(state)
        self._runners: dict[str, MappingRunner] = {}

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
            self._report()
            self._stopping.wait(_REPORT_S)
        self._report()

    def _report(self) -> None:
        for uuid, runner in self._runners.items():
            self._progress[uuid] = progress_of(runner, self._progress[uuid], time.time())
        write_state(self._state, self._progress)

    def _discover(self) -> bool:
        """Bring the runners in line with the mappings; False if the engine does not answer."""
        try:
            found = list(self._source.found())
        except Unavailable as err:
            logger.warning("engine does not answer: %s", err)
            return False
        for mapping, settings in found:
            self._follow(mapping, settings)
        gone = self._progress.keys() - {settings.uuid for _, settings in found}
        for uuid in gone:
            self._forget(uuid)
        return True

    def _follow(self, mapping: Mapping[str, Any], settings: MappingSettings) -> None:
        """Start, stop or change one mapping's runner; a runner that stops is waited for."""
        progress = self._known(mapping, settings)
        runner = self._runners.get(settings.uuid)
        if runner is None:
            if settings.enabled:
                self._begin(settings, progress)
        elif runner.settings == settings:
            runner.look()
        else:
            runner.stop()
            runner.look()  # for its last measurements
            if not runner.is_running:
                self._progress[settings.uuid] = progress_of(runner, progress, time.time())
                del self._runners[settings.uuid]
        progress = self._progress[settings.uuid]
        progress.paused = not settings.enabled

    def _known(self, mapping: Mapping[str, Any], settings: MappingSettings) -> MappingProgress:
        progress = self._progress.get(settings.uuid)
        if progress is None or progress.stream_arn != settings.stream_arn:
            ignored = unsupported(mapping)
            if ignored:
                logger.warning(
                    "mapping %s: not supported, ignored: %s", settings.uuid, ", ".join(ignored)
                )
            progress = MappingProgress(settings.stream_arn, settings.function_arn, ignored)
            self._progress[settings.uuid] = progress
        return progress

    def _begin(self, settings: MappingSettings, progress: MappingProgress) -> None:
        try:
            ports = self._source.ports(settings)
            runner = MappingRunner(settings, ports, PACE, saved_of(progress))
            runner.look()
        except (Unavailable, InvalidPattern) as err:
            progress.problem = str(err)
            progress.result = f"PROBLEM: {err}"
            logger.warning("mapping %s cannot be run: %s", settings.uuid, err)
            return
        logger.info(
            "mapping %s: %s to %s", settings.uuid, settings.stream_arn, settings.function_arn
        )
        self._runners[settings.uuid] = runner

    def _forget(self, uuid: str) -> None:
        runner = self._runners.pop(uuid, None)
        if runner is not None:
            runner.stop()
        self._progress.pop(uuid, None)
