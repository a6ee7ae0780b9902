"""What watch reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class WatchSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_incarnation: str
    """Tells a recreated stream, which reuses shard ids, from the one before it."""
    stream_arn: str
    """Stream whose shards are looked at."""
    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events, and of discarded batches."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    enrich_queue_url: str
    """Queue of enrich, which gets overdue references."""
    overdue_after_s: Annotated[int, Field(ge=1)] = 300
    """Seconds for which a reference may stay pending before watch sends it."""
