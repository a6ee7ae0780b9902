"""What an event source mapping says about polling and invoking."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

FOR_EVER = -1
# Members whose meaning this poller does not have; a value other than these would be ignored.
_NOT_SUPPORTED: dict[str, tuple[object, ...]] = {
    "ParallelizationFactor": (None, 1),
    "FilterCriteria": (None, {}, {"Filters": []}),
    "TumblingWindowInSeconds": (None, 0),
    "BisectBatchOnFunctionError": (None, False),
    "MaximumRecordAgeInSeconds": (None, FOR_EVER),
}


@dataclass(frozen=True)
class MappingSettings:
    """One Kinesis mapping. Field meanings: Lambda's CreateEventSourceMapping API reference."""

    uuid: str
    stream_arn: str
    function_arn: str
    role_arn: str
    batch_size: int
    window_s: float
    starting_position: str
    starting_timestamp: datetime | None
    reports_item_failures: bool
    retries: int  # after the first attempt; FOR_EVER for no limit

    @property
    def region(self) -> str:
        """The stream's region."""
        return self.stream_arn.split(":")[3]


def read_mapping(mapping: Mapping[str, Any], role_arn: str) -> MappingSettings:
    """Return the settings of an entry of ListEventSourceMappings.

    role_arn: the function's role, which its events name.
    """
    retries = mapping.get("MaximumRetryAttempts")
    return MappingSettings(
        uuid=mapping["UUID"],
        stream_arn=mapping["EventSourceArn"],
        function_arn=mapping["FunctionArn"],
        role_arn=role_arn,
        batch_size=mapping.get("BatchSize") or 100,
        window_s=float(mapping.get("MaximumBatchingWindowInSeconds") or 0),
        starting_position=mapping.get("StartingPosition") or "LATEST",
        starting_timestamp=mapping.get("StartingPositionTimestamp"),
        reports_item_failures="ReportBatchItemFailures"
        in (mapping.get("FunctionResponseTypes") or []),
        retries=FOR_EVER if retries is None else retries,
    )


def unsupported(mapping: Mapping[str, Any]) -> list[str]:
    """Return the members of the mapping that are set and that this poller ignores."""
    return [name for name, harmless in _NOT_SUPPORTED.items() if mapping.get(name) not in harmless]
