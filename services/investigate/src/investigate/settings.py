"""What investigate reads from its environment."""

from millrace.settings import FunctionSettings


class InvestigateSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_arn: str
    """Stream whose shards are looked at."""
    stream_incarnation: str
    """What tells the stream from an earlier one of the same name."""
    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    gate_table: str
    """Table of event ids and who holds them."""
    event_index_table: str
    """Table of where each event is, by entity and day."""
    aggregates_table: str
    """Table of counters by scope and window."""
    manifests_table: str
    """Table of archive objects and exports by hour."""
    replays_table: str
    """Table of replays: their plans and progress."""
