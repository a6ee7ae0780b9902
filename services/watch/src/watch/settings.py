"""What watch reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class WatchSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_incarnation: str
    stream_arn: str
    commits_table: str
    enrich_queue_url: str
    overdue_after_s: Annotated[int, Field(ge=1)] = 300
    """How long a reference may stay pending before watch sends it."""
