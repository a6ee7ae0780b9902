"""Whether the services are called and do not fail: what Lambda, EventBridge and CloudWatch say."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError

from millrace.aws.dead_letters import queue_name
from millrace.aws.errors import code_of, translated
from millrace.investigate.cockpit.readings import (
    FailedCalls,
    MappingReading,
    ScheduleReading,
    ServiceReading,
    ServiceReadings,
)
from millrace.investigate.cockpit.services import STREAM_READER, fed_by

if TYPE_CHECKING:
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef
    from types_boto3_lambda import LambdaClient

_MISSING = "ResourceNotFoundException"
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException"})
_CALLS_SEEN = timedelta(minutes=65)
"""Every service with a schedule is called within an hour."""
_A_MINUTE_S = 60
_FEWEST_CALLS = 3
"""One call may fail for once; a service all of whose latest calls failed does not work."""

T = TypeVar("T")
_ByService = Mapping[str, T]


@dataclass(frozen=True, slots=True)
class ServiceNames:
    """What there should be."""

    functions: _ByService[str]
    """Names by service."""
    schedules: _ByService[str]
    """Names of EventBridge rules by the service that they call."""
    stream_arn: str
    queue_urls: Mapping[str, str]
    """By queue."""


class ServicesReader:
    """Reads `millrace.investigate.cockpit.readings.ServiceReadings`."""

    def __init__(
        self,
        functions: "LambdaClient",
        rules: Any,  # noqa: ANN401 - an EventBridge client: one call, not worth its stubs
        metrics: "CloudWatchClient",
        names: ServiceNames,
    ) -> None:
        self._lambda = functions
        self._rules = rules
        self._metrics = metrics
        self._names = names

    def read(self, now: datetime) -> ServiceReadings:
        """Return all there is to know; what may not be asked for is named instead. May block.

        Raises:
            RetryableError, ConfigError: something does not answer.
        """
        withheld: list[str] = []

        def asked(what: str, ask: Callable[[], Mapping[str, T]]) -> Mapping[str, T] | None:
            try:
                with translated(what):
                    return _unless_forbidden(ask)
            except _ForbiddenError:
                withheld.append(what)
                return None

        found = asked("functions", lambda: dict(self._functions()))
        mappings = asked("mappings", self._mappings)
        schedules = asked("schedules", self._schedules)
        failed = asked("calls", lambda: self._failed(now))
        if found is None and mappings is None and schedules is None and failed is None:
            return ServiceReadings((), tuple(withheld))
        if found is None:
            found = {service: ServiceReading(service) for service in self._names.functions}
        services = tuple(
            _Parts(each, mappings, schedules or {}, failed or {}).put_together(self._sources)
            for each in found.values()
        )
        return ServiceReadings(services, tuple(withheld))

    def _functions(self) -> Iterator[tuple[str, ServiceReading]]:
        for service, name in self._names.functions.items():
            yield service, self._function(service, name)

    def _function(self, service: str, name: str) -> ServiceReading:
        """Return a function by its state and its concurrency.

        https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
        """
        try:
            found = self._lambda.get_function_configuration(FunctionName=name)
            concurrency = self._lambda.get_function_concurrency(FunctionName=name)
        except ClientError as err:
            if code_of(err) == _MISSING:
                return ServiceReading(service, exists=False)
            raise
        unable = found.get("StateReason") or "its state is Failed"
        return ServiceReading(
            service,
            unable=unable if found.get("State") == "Failed" else "",
            may_run=concurrency.get("ReservedConcurrentExecutions") != 0,
        )

    def _mappings(self) -> dict[str, list[tuple[str, MappingReading]]]:
        """Return each function's mappings, with the ARN of what each reads.

        https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
        """
        found: dict[str, list[tuple[str, MappingReading]]] = {}
        names = {name: service for service, name in self._names.functions.items()}
        for page in self._lambda.get_paginator("list_event_source_mappings").paginate():
            for each in page["EventSourceMappings"]:
                service = names.get(each["FunctionArn"].split(":")[6])
                if service is not None:
                    arn = each.get("EventSourceArn", "")
                    reading = MappingReading(
                        each["UUID"], _source(arn), each["State"], each.get("LastModified")
                    )
                    found.setdefault(service, []).append((arn, reading))
        return found

    def _schedules(self) -> dict[str, ScheduleReading]:
        """Return each rule as it is.

        https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html
        """
        return {each: self._schedule(rule) for each, rule in self._names.schedules.items()}

    def _schedule(self, rule: str) -> ScheduleReading:
        try:
            return ScheduleReading(rule, self._rules.describe_rule(Name=rule)["State"])
        except ClientError as err:
            if code_of(err) == _MISSING:
                return ScheduleReading(rule, None)
            raise

    def _failed(self, now: datetime) -> dict[str, FailedCalls]:
        """Return the services whose latest calls all failed.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        services = list(self._names.functions)
        queries = [
            _query(f"{metric[0].lower()}{number}", metric, self._names.functions[service])
            for number, service in enumerate(services)
            for metric in ("Invocations", "Errors")
        ]
        by_id: dict[str, dict[datetime, float]] = {}
        pages = self._metrics.get_paginator("get_metric_data").paginate(
            MetricDataQueries=queries, StartTime=now - _CALLS_SEEN, EndTime=now
        )
        for page in pages:
            for each in page["MetricDataResults"]:
                values = zip(each["Timestamps"], each["Values"], strict=True)
                by_id.setdefault(each["Id"], {}).update(values)
        found = {
            service: failed_calls(by_id.get(f"i{number}", {}), by_id.get(f"e{number}", {}))
            for number, service in enumerate(services)
        }
        return {service: each for service, each in found.items() if each is not None}

    def _sources(self, service: str) -> Iterator[str]:
        """Yield the ARNs of what a service should read."""
        if service == STREAM_READER:
            yield self._names.stream_arn
        start = self._names.stream_arn.replace(":kinesis:", ":sqs:").rpartition(":")[0]
        for queue, url in self._names.queue_urls.items():
            if fed_by(queue) == service:
                yield f"{start}:{queue_name(url)}"


def failed_calls(
    calls: Mapping[datetime, float], errors: Mapping[datetime, float]
) -> FailedCalls | None:
    """Return the latest calls if all of them failed, minute by minute; None if one did not.

    A minute without calls says nothing. Fewer than three calls are no proof.
    """
    minutes = sorted((at for at, number in calls.items() if number), reverse=True)
    failing = list(takewhile(lambda at: errors.get(at, 0) >= calls[at], minutes))
    number = round(sum(calls[at] for at in failing))
    return FailedCalls(number, failing[-1]) if number >= _FEWEST_CALLS else None


@dataclass(frozen=True, slots=True)
class _Parts:
    """What is known of one service, by where it comes from."""

    function: ServiceReading
    mappings: _ByService[list[tuple[str, MappingReading]]] | None
    schedules: _ByService[ScheduleReading]
    failed: _ByService[FailedCalls]

    def put_together(self, sources: Callable[[str], Iterable[str]]) -> ServiceReading:
        service, function = self.function.service, self.function
        own = (self.mappings or {}).get(service, [])
        read = {arn for arn, _ in own}
        missing = () if self.mappings is None else set(sources(service)) - read
        return ServiceReading(
            service,
            function.exists,
            function.unable,
            function.may_run,
            mappings=tuple(each for _, each in own),
            unread=tuple(sorted(map(_source, missing))),
            schedule=self.schedules.get(service),
            failed=self.failed.get(service),
        )


class _ForbiddenError(Exception):
    """The credentials lack a right."""


def _unless_forbidden(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except ClientError as err:
        if code_of(err) in _FORBIDDEN:
            raise _ForbiddenError from err
        raise


def _query(query_id: str, metric: str, function: str) -> "MetricDataQueryTypeDef":
    return {
        "Id": query_id,
        "MetricStat": {
            "Metric": {
                "Namespace": "AWS/Lambda",
                "MetricName": metric,
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
            },
            "Period": _A_MINUTE_S,
            "Stat": "Sum",
        },
    }


def _source(arn: str) -> str:
    """Return what an ARN names as people say it: `queue millrace-archive`."""
    kind, name = arn.split(":")[2] if arn else "", arn.rpartition(":")[2]
    return f"stream {name.removeprefix('stream/')}" if kind == "kinesis" else f"queue {name}"
