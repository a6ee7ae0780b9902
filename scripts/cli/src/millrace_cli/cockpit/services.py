"""Whether Lambda calls the services that work on the stream and on queues."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from millrace.investigate.cockpit.readings import ServiceReading
from millrace_cli.aws import code_of

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_CALLED = ("ingest", "enrich", "aggregate", "archive", "replay", "watch")
"""Those with event source mappings; the APIs and export have none."""
_ON = frozenset({"Enabled", "Enabling", "Creating", "Updating"})
_FORBIDDEN = frozenset({"AccessDenied", "AccessDeniedException"})


def read_services(
    client: "LambdaClient", functions: Mapping[str, str]
) -> tuple[ServiceReading, ...] | None:
    """Return each service's mappings and concurrency; None if these may not be asked for.

    https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
    """
    try:
        return tuple(_read(client, each, functions[each]) for each in _CALLED if each in functions)
    except ClientError as err:
        if code_of(err) in _FORBIDDEN:
            return None
        raise


def _read(client: "LambdaClient", service: str, function: str) -> ServiceReading:
    pages = client.get_paginator("list_event_source_mappings").paginate(FunctionName=function)
    stopped = tuple(
        (mapping["UUID"], mapping["State"])
        for page in pages
        for mapping in page["EventSourceMappings"]
        if mapping["State"] not in _ON
    )
    concurrency = client.get_function_concurrency(FunctionName=function)
    may_run = concurrency.get("ReservedConcurrentExecutions") != 0
    return ServiceReading(service, stopped, may_run)
