"""What archive reads from its environment. The layout is not in it: see `archive.stamp`."""

from millrace.settings import ConsumerSettings


class ArchiveSettings(ConsumerSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    manifests_table: str
    """Table of archived objects by hour of event time."""
