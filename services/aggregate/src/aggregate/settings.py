"""What aggregate reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class AggregateSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    commits_table: str
    aggregates_table: str
    markers_table: str
    marker_ttl_days: Annotated[int, Field(ge=30, le=3650)] = 90
    """Longer than a reference can wait in queues (SQS keeps 14 days, and so does a DLQ)."""
