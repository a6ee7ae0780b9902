"""What enrich reads from its environment."""

from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from millrace.archive_layout import (
    DEFAULT_LEVEL,
    HIVE,
    ArchiveLayout,
    Compression,
    check_level,
    check_partitions,
)
from millrace.index import BUCKETS, MAX_BUCKETS
from millrace.settings import ConsumerSettings


class EnrichSettings(ConsumerSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    assignments_table: str
    """Table of the variant that an entity was given in an experiment, and since when."""
    experiments_table: str
    """Table of experiments and their metadata."""
    event_index_table: str
    """Table of index pages: from an entity and a day to its events."""
    aggregate_queue_url: str
    """Queue of aggregate, which gets a reference to each enriched object."""
    archive_queue_url: str
    """Queue of archive, which gets the same reference."""
    replay_queue_arn: str
    """Messages from here are single events of replays; all others are references to commits."""
    replays_table: str
    """Table of replays: their plans and progress."""
    metrics_key: str
    """Key of the deployed metric definitions in the data bucket."""
    archive_max_events: Annotated[int, Field(ge=1)] = 1000
    """Most events in an archive object: stamped on enriched objects, archive cuts by the stamp."""
    archive_max_bytes: Annotated[int, Field(ge=1)] = 5_000_000
    """Most bytes, uncompressed, in an archive object; stamped as well."""
    archive_compression: Compression = Compression.GZIP
    """How archive objects are compressed; stamped as well."""
    archive_level: int = DEFAULT_LEVEL
    """Level of that compression; stamped as well."""
    archive_partitions: Annotated[str, AfterValidator(check_partitions)] = HIVE
    """Folders of archive objects, by hour of event time; stamped as well."""
    index_buckets: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] = BUCKETS
    """Entity buckets of event days not indexed so far; `millrace.index` says the trade-off."""
    assignments_ttl_s: Annotated[int, Field(ge=0)] = 60
    """Seconds for which what is known of an entity or experiment is used till it is read again."""
    absence_ttl_s: Annotated[int, Field(ge=0)] = 10
    """The same of one that is not there: shorter, for a first assignment is followed by events."""
    cached_assignments: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Entities and assignments kept together; about 500 bytes each, in a function of 512 MB."""
    cached_experiments: Annotated[int, Field(ge=10, le=10_000)] = 1_000
    """Experiments kept at most."""

    @field_validator("archive_level")
    @classmethod
    def _level_of_the_compression(cls, level: int, info: ValidationInfo) -> int:
        compression = info.data.get("archive_compression")  # absent if it was refused itself
        return check_level(compression, level) if compression else level

    @property
    def archive_layout(self) -> ArchiveLayout:
        """The layout to stamp on enriched objects."""
        return ArchiveLayout(
            max_events=self.archive_max_events,
            max_bytes=self.archive_max_bytes,
            compression=self.archive_compression,
            level=self.archive_level,
            partitions=self.archive_partitions,
        )
