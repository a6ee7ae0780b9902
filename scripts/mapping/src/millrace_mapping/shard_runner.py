"""Carries one shard's effects out: one thread decides, a few more wait for answers."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from millrace_mapping.core.discards import Discard, invocation_record
from millrace_mapping.core.effects import Deliver, Effect, Invoke, OpenIterator, ReadPage
from millrace_mapping.core.records import event_payload
from millrace_mapping.core.settings import MappingSettings
from millrace_mapping.core.shard import ShardMachine
from millrace_mapping.ports import (
    Destination,
    Function,
    Metrics,
    NotDelivered,
    NotInvoked,
    ReadFailed,
    Stream,
)

logger = logging.getLogger(__name__)

Clock = Callable[[], float]
_Report = Callable[[ShardMachine], None]


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything a mapping touches."""

    stream: Stream
    function: Function
    destination: Destination | None
    metrics: Metrics


class ShardRunner:
    """Drives one shard's machine until the shard is done with, or until it is told to stop."""

    def __init__(
        self, machine: ShardMachine, ports: Ports, lock: threading.Lock, clock: Clock = time.time
    ) -> None:
        """Drive the machine; `lock` guards it against whoever else looks at it."""
        self.machine = machine
        self.in_flight = 0
        self.broken: str | None = None
        """Why the runner itself failed; None as long as it has not."""
        self._ports = ports
        self._lock = lock
        self._clock = clock
        self._reports: SimpleQueue[_Report] = SimpleQueue()
        self._stopping = False
        name = f"{machine.settings.stream_name}:{machine.shard_id}"
        workers = machine.settings.parallelization + 1  # and one that reads ahead
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix=name)
        # A daemon: when the process is ended, an invocation in flight is not waited for.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is under way come to its end, and begin nothing new."""
        self._stopping = True
        self._reports.put(lambda _: None)

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended yet."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            while not self._step():
                pass
        except Exception as err:  # the thread's last line: a shard must not end in silence
            logger.exception("%s stopped", threading.current_thread().name)
            self.broken = f"{type(err).__name__}: {err}"
        finally:
            self._pool.shutdown(wait=False)

    def _step(self) -> bool:
        """Begin what is due and take one report; tell whether that was the end."""
        machine = self.machine
        with self._lock:
            machine.paused = machine.paused or self._stopping
            effects = machine.effects(self._clock())
            discards = machine.take_discards()
            is_over = machine.is_done or (self._stopping and machine.is_resting)
            wake_at = machine.wake_at()
        for discard in discards:
            _log(discard, machine.settings)
        for effect in effects:
            self._pool.submit(self._carry_out, effect)
        if is_over:
            return True
        self._take_reports(wake_at)
        return False

    def _take_reports(self, wake_at: float | None) -> None:
        wait_s = None if wake_at is None else max(0.0, wake_at - self._clock())
        try:
            report = self._reports.get(timeout=wait_s)
        except Empty:
            return
        with self._lock:
            report(self.machine)

    def _carry_out(self, effect: Effect) -> None:
        try:
            report = self._done(effect)
        except Exception as err:
            logger.exception("an effect could not be carried out")
            raise_later = err

            def report(_: ShardMachine) -> None:
                raise raise_later

        self._reports.put(report)

    def _done(self, effect: Effect) -> _Report:
        """Carry out an effect; return how the machine is told."""
        match effect:
            case Invoke():
                return self._invoked(effect)
            case Deliver():
                return self._delivered(effect)
            case OpenIterator() | ReadPage():
                return self._read(effect)

    def _read(self, effect: OpenIterator | ReadPage) -> _Report:
        try:
            if isinstance(effect, OpenIterator):
                stream = self._ports.stream
                iterator = stream.open_iterator(self.machine.shard_id, effect.start)
                return lambda machine: machine.opened(iterator)
            page = self._ports.stream.read(effect.iterator)
        except ReadFailed as err:
            fault = err.fault
            return lambda machine: machine.read_failed(fault, self._clock())
        return lambda machine: machine.page_read(page, self._clock())

    def _invoked(self, effect: Invoke) -> _Report:
        try:
            answer = self._ports.function.invoke(event_payload(effect.batch.records))
        except NotInvoked as err:
            reason = str(err)
            return lambda machine: machine.not_invoked(effect.lane, reason, self._clock())
        return lambda machine: machine.answered(effect.lane, answer, self._clock())

    def _delivered(self, effect: Deliver) -> _Report:
        failure = self._failure_to_deliver(effect.discard)
        if failure is not None:
            logger.warning("discarded batch not delivered: %s", failure)
        return lambda machine: machine.delivered(effect.lane, self._clock(), failure=failure)

    def _failure_to_deliver(self, discard: Discard) -> str | None:
        if self._ports.destination is None:
            return "the mapping has no destination"
        try:
            self._ports.destination.deliver(
                invocation_record(discard, self.machine.settings), discard
            )
        except NotDelivered as err:
            return str(err)
        return None


def _log(discard: Discard, settings: MappingSettings) -> None:
    logger.error(
        "%s: %s records from %s to %s given up (%s)%s",
        discard.shard_id,
        len(discard.records),
        discard.records[0].sequence,
        discard.records[-1].sequence,
        discard.condition,
        "" if settings.destination_arn else ": there is no destination, they are lost",
    )
