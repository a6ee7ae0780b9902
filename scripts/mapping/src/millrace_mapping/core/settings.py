"""What an event source mapping says about reading, batching, retrying and giving up.

Parameters and defaults: https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

FOR_EVER = -1
DEFAULT_BATCH_SIZE = 100
# Members whose meaning this engine does not have; a value other than these would be ignored.
_NOT_SUPPORTED: dict[str, tuple[object, ...]] = {"TumblingWindowInSeconds": (None, 0)}


class Origin(StrEnum):
    """Where a shard is first read."""

    TRIM_HORIZON = "TRIM_HORIZON"
    LATEST = "LATEST"
    AT_TIMESTAMP = "AT_TIMESTAMP"
    AFTER = "AFTER_SEQUENCE_NUMBER"


@dataclass(frozen=True, slots=True)
class Start:
    """A place in a shard. at: epoch seconds, for AT_TIMESTAMP; after: a sequence number."""

    origin: Origin
    at: float | None = None
    after: str | None = None


@dataclass(frozen=True)
class MappingSettings:
    """One Kinesis mapping, as CreateEventSourceMapping describes it."""

    uuid: str
    stream_arn: str
    function_arn: str
    role_arn: str
    batch_size: int = DEFAULT_BATCH_SIZE
    window_s: float = 0.0
    start: Start = Start(Origin.LATEST)
    reports_item_failures: bool = False
    retries: int = FOR_EVER  # after the first attempt
    record_age_s: int = FOR_EVER
    bisects: bool = False
    parallelization: int = 1
    destination_arn: str | None = None
    filters: tuple[str, ...] = ()  # JSON patterns; one of them has to match
    enabled: bool = True

    @property
    def region(self) -> str:
        """The stream's region."""
        return self.stream_arn.split(":")[3]

    @property
    def stream_name(self) -> str:
        """The stream's name."""
        return self.stream_arn.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast the engine reads and tries again; AWS says no more than `once per second`.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (polling and batching streams)
    """

    idle_s: float = 1.0
    first_backoff_s: float = 1.0
    longest_backoff_s: float = 60.0

    def backoff_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row, at least one."""
        doubled = self.first_backoff_s * 2.0 ** (min(failures, 20) - 1)
        return min(doubled, self.longest_backoff_s)


def read_mapping(mapping: Mapping[str, Any], role_arn: str) -> MappingSettings:
    """Return the settings of an entry of ListEventSourceMappings.

    role_arn: the function's role, which its events name.
    """
    on_failure = (mapping.get("DestinationConfig") or {}).get("OnFailure") or {}
    filters = (mapping.get("FilterCriteria") or {}).get("Filters") or []
    return MappingSettings(
        uuid=mapping["UUID"],
        stream_arn=mapping["EventSourceArn"],
        function_arn=mapping["FunctionArn"],
        role_arn=role_arn,
        batch_size=mapping.get("BatchSize") or DEFAULT_BATCH_SIZE,
        window_s=float(mapping.get("MaximumBatchingWindowInSeconds") or 0),
        start=_start(mapping),
        reports_item_failures="ReportBatchItemFailures"
        in (mapping.get("FunctionResponseTypes") or []),
        retries=_limit(mapping.get("MaximumRetryAttempts")),
        record_age_s=_limit(mapping.get("MaximumRecordAgeInSeconds")),
        bisects=bool(mapping.get("BisectBatchOnFunctionError")),
        parallelization=mapping.get("ParallelizationFactor") or 1,
        destination_arn=on_failure.get("Destination"),
        filters=tuple(each["Pattern"] for each in filters if each.get("Pattern")),
        enabled=mapping.get("State") in {"Enabled", "Enabling", "Updating", "Creating"},
    )


def unsupported(mapping: Mapping[str, Any]) -> list[str]:
    """Return the members of the mapping that are set and that this engine ignores."""
    return [name for name, harmless in _NOT_SUPPORTED.items() if mapping.get(name) not in harmless]


def _start(mapping: Mapping[str, Any]) -> Start:
    origin = Origin(mapping.get("StartingPosition") or Origin.LATEST)
    at = mapping.get("StartingPositionTimestamp")
    return Start(origin, at.timestamp() if isinstance(at, datetime) else at)


def _limit(value: int | None) -> int:
    return FOR_EVER if value is None else value
