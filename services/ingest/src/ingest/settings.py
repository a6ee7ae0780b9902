"""What ingest reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class IngestSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_incarnation: str
    """Tells a recreated stream, which reuses shard ids, from the one before it."""
    stream_arn: str
    """Stream from which a repair reads a discarded batch that is nowhere else."""
    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    gate_table: str
    """Table of the ids that are known: decides what is a duplicate."""
    enrich_queue_url: str
    """Queue of enrich, which gets a reference to each commit."""
    gate_ttl_days: Annotated[int, Field(ge=1)] = 30
    """Days of the duplicate horizon: a resend later than this counts as new."""
    max_future_skew_s: Annotated[int, Field(ge=0)] = 300
    """How far ahead of its arrival an event's time may be before it is quarantined."""
    max_event_bytes: Annotated[int, Field(ge=1)] = 1024 * 1024
    """Largest event, after decompression; a larger one is quarantined."""
    allowed_lateness_s: Annotated[int, Field(ge=0)] = 3600
    """Seconds by which an event may be behind its source's highest event time before it is late."""
    max_rejected_share: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Above this share of a batch of 20 or more, rejections are an incident, not a few records."""
    commit_reserve_s: Annotated[float, Field(ge=1)] = 10
    """Seconds of the invocation that are kept for the commit: past it no new work is begun."""
