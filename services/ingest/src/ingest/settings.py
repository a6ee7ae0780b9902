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
    allowed_lateness_s: Annotated[int, Field(ge=0)] = 3600
    """How far behind its source's highest event time an event may be before it counts as late."""
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Above this share of a batch, rejections are an incident, not some bad records."""
    commit_reserve_s: Annotated[float, Field(ge=1)] = 10
    """Seconds of the invocation that are kept for the commit: past it no new work is begun."""
