"""A batch from its delivery to its figures: the same for every service that works in batches."""

import resource
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any, Generic, TypeVar

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.clock import Clock, SystemClock
from millrace.dlq.notes import Notes
from millrace.dlq.noting import Noting
from millrace.errors import MillraceError
from millrace.observability import MetricName, count
from millrace.settings import FunctionSettings, load_settings

_PROCESS_STATUS = Path("/proc/self/status")  # proc_pid_status(5)

Service = TypeVar("Service")
Settings = TypeVar("Settings", bound=FunctionSettings)


@dataclass(frozen=True, slots=True)
class BatchNames:
    """The names under which a service counts what its batches came to."""

    errors: MetricName
    succeeded: MetricName = MetricName.REFERENCES_SUCCEEDED
    failed: MetricName = MetricName.REFERENCES_FAILED
    events: MetricName | None = None


@dataclass(slots=True)
class Batch:
    """What a batch came to so far; whoever works on it says more. Nothing said: all failed."""

    delivered: int
    failed: int
    errors: int | None = None
    """How many errors to count; as many as failed if nothing else is said."""
    events: int = 0
    """Events that this batch carried to the end, whatever number of messages held them."""
    reasons: dict[str, BaseException] = field(default_factory=dict)
    """Why messages failed, by their id."""


@contextmanager
def measured(metrics: Metrics, names: BatchNames, delivered: int) -> Iterator[Batch]:
    """Count what the block makes of a batch of `delivered`, however the block ends."""
    batch = Batch(delivered, failed=delivered)
    started = perf_counter()
    try:
        yield batch
    finally:
        _count(metrics, names, batch, perf_counter() - started)


def _count(metrics: Metrics, names: BatchNames, batch: Batch, took_s: float) -> None:
    count(metrics, names.failed, batch.failed)
    count(metrics, names.succeeded, batch.delivered - batch.failed)
    count(metrics, names.errors, batch.failed if batch.errors is None else batch.errors)
    count(metrics, MetricName.BATCH_DURATION, took_s * 1000)
    count(metrics, MetricName.MAX_MEMORY, max_memory_mb())
    if names.events is not None:
        count(metrics, names.events, batch.events)
    if batch.events:
        count(metrics, MetricName.EVENTS_PER_SECOND, batch.events / took_s)


def max_memory_mb() -> float:
    """Return the most memory that this process has held since its cold start.

    On Linux as the kernel has it for this program: getrusage(2) would tell also what the process
    that started it held. Elsewhere getrusage's figure, which macOS gives in bytes.
    """
    try:
        status = _PROCESS_STATUS.read_text()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024)
    (peak_kb,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(peak_kb) / 1024


Work = Callable[[Service, Mapping[str, Any], LambdaContext, Batch], dict[str, Any]]
"""What a service does with an event; it returns the answer and says on the batch what failed."""


class BatchHandler(Generic[Service]):
    """Lambda's entry of a service that is built at the first event and measured at each.

    A service that could not be built is not kept: the next invocation tries again.
    """

    def __init__(
        self,
        logger: Logger,
        metrics: Metrics,
        names: BatchNames,
        build: Callable[[], Service],
        work: Work[Service],
        *,
        notes: Callable[[], Notes] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """`notes` is where failures are noted for whoever finds the message as a dead letter."""
        self._logger = logger
        self._metrics = metrics
        self._names = names
        self._build = build
        self._work = work
        self._noting = Noting(logger, notes, clock or SystemClock())
        self._service: Service | None = None
        flushed = metrics.log_metrics(self._built_and_handled, raise_on_empty_metrics=False)
        self._entry = logger.inject_lambda_context(flushed, correlation_id_path=None)

    def __call__(self, event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
        """Answer one invocation and write its metrics.

        Raises:
            ConfigError, RetryableError: the service could not be built; the whole event is
                counted as failed and Lambda delivers it again.
        """
        answer: dict[str, Any] = self._entry(event, context)
        return answer

    def handle(
        self, event: Mapping[str, Any], context: LambdaContext, service: Service
    ) -> dict[str, Any]:
        """Answer one invocation with this service; an event without records is one piece."""
        with measured(self._metrics, self._names, _pieces(event)) as batch:
            try:
                answer = self._work(service, event, context, batch)
            except Exception as err:
                self._noting.note(event, context, dict.fromkeys(_message_ids(event), err))
                raise
        failed = (each["itemIdentifier"] for each in answer.get("batchItemFailures", ()))
        self._noting.note(event, context, {each: batch.reasons.get(each) for each in failed})
        return answer

    def forget_service(self) -> None:
        """Build the service anew at the next event, as after a cold start."""
        self._service = None

    def _built_and_handled(
        self, event: Mapping[str, Any], context: LambdaContext
    ) -> dict[str, Any]:
        if self._service is None:
            try:
                self._service = self._build()
            except MillraceError as err:
                count(self._metrics, self._names.errors, _pieces(event))
                self._logger.exception("service not built")
                self._noting.note(event, context, dict.fromkeys(_message_ids(event), err))
                raise
        return self.handle(event, context, self._service)


def _pieces(event: Mapping[str, Any]) -> int:
    return len(event.get("Records", (event,)))


def _message_ids(event: Mapping[str, Any]) -> list[str]:
    return [each["messageId"] for each in event.get("Records", ()) if "messageId" in each]


def building(
    logger: Logger, model: type[Settings], build: Callable[[Settings], Service]
) -> Callable[[], Service]:
    """Return how a service is built from the environment, which also sets the log level."""

    def build_from_environment() -> Service:
        settings = load_settings(model)
        logger.setLevel(settings.log_level)
        return build(settings)

    return build_from_environment


def noting(model: type[Settings], make: Callable[[Settings], Notes]) -> Callable[[], Notes]:
    """Return how failures are noted by the environment's settings, made at the first failure."""

    @cache
    def make_from_environment() -> Notes:
        return make(load_settings(model))

    return make_from_environment
