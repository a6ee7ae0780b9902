"""What ingest reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class IngestSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_incarnation: str
    """Tells a recreated stream, which reuses shard ids, from the one before it."""
    data_bucket: str
    commits_table: str
    gate_table: str
    enrich_queue_url: str
    gate_ttl_days: Annotated[int, Field(ge=1)] = 30
    """The duplicate horizon: a resend later than this counts as new."""
    max_future_skew_s: Annotated[int, Field(ge=0)] = 300
    max_event_bytes: Annotated[int, Field(ge=1)] = 1024 * 1024
