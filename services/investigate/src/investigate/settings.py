"""What investigate reads from its environment."""

from collections.abc import Mapping

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
    notes_table: str
    """Table in which consumers note why messages failed."""
    name_prefix: str
    """First part of the names of all resources."""
    functions: Mapping[str, str]
    """Names of all functions by service."""
    schedules: Mapping[str, str]
    """Names of the rules that call functions by the clock, by service."""
    queue_urls: Mapping[str, str]
    """URLs of the queues by name."""
    dead_letter_urls: Mapping[str, str]
    """URLs of their dead-letter queues by the same names."""
    repair_days: int
    """Days from its arrival for which a discarded record can be repaired."""
