"""The mappings that exist, as Terraform or anybody else created them, and what each is run with.

https://docs.aws.amazon.com/lambda/latest/api/API_ListEventSourceMappings.html
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace_mapping.aws.destinations import destination_of
from millrace_mapping.aws.function import LambdaFunction
from millrace_mapping.aws.kinesis import KinesisStream
from millrace_mapping.aws.metrics import CloudWatchMetrics
from millrace_mapping.aws.sessions import Sessions
from millrace_mapping.core.settings import MappingSettings, read_mapping
from millrace_mapping.shard_runner import Ports

_GONE = "ResourceNotFoundException"


class Unavailable(Exception):
    """Lambda's API cannot be asked."""


class Mappings:
    """Reads the mappings of one account and region."""

    def __init__(self, sessions: Sessions) -> None:
        """Ask with the process's own credentials."""
        self._sessions = sessions
        self._lambda = sessions.own("lambda")
        self._cloudwatch = sessions.own("cloudwatch")
        self._roles: dict[str, str] = {}

    def found(self) -> Iterator[tuple[Mapping[str, Any], MappingSettings]]:
        """Yield the Kinesis mappings, enabled or not, whose function's role is known.

        Raises: Unavailable.
        """
        with _translated():
            for page in self._lambda.get_paginator("list_event_source_mappings").paginate():
                for mapping in page["EventSourceMappings"]:
                    if ":kinesis:" not in (mapping.get("EventSourceArn") or ""):
                        continue
                    role = self._role_of(mapping["FunctionArn"])
                    if role is not None:
                        yield mapping, read_mapping(mapping, role)

    def ports(self, settings: MappingSettings) -> Ports:
        """Return what the mapping is run with. Raises: Unavailable: its role cannot be assumed."""
        with _translated():
            return Ports(
                KinesisStream(
                    self._sessions.as_role(settings.role_arn, "kinesis"), settings.stream_arn
                ),
                LambdaFunction(self._lambda, settings.function_arn),
                destination_of(settings, self._sessions),
                CloudWatchMetrics(self._cloudwatch, settings),
            )

    def _role_of(self, function_arn: str) -> str | None:
        """Return the function's role; a function that is gone for a moment keeps the one it had."""
        try:
            answer = self._lambda.get_function_configuration(FunctionName=function_arn)
        except ClientError as err:
            if err.response["Error"]["Code"] != _GONE:
                raise
        else:
            self._roles[function_arn] = answer["Role"]
        return self._roles.get(function_arn)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (ClientError, BotoCoreError) as err:
        raise Unavailable(str(err)) from err
