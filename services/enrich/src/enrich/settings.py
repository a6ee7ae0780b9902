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
from millrace.settings import FunctionSettings


class EnrichSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    commits_table: str
    assignments_table: str
    experiments_table: str
    event_index_table: str
    aggregate_queue_url: str
    archive_queue_url: str
    replay_queue_arn: str
    """Messages from here are single events of replays; all others are references to commits."""
    replays_table: str
    metrics_key: str
    """Key of the deployed metric definitions in the data bucket."""
    archive_max_events: Annotated[int, Field(ge=1)] = 1000
    """Stamped on each enriched object; archive cuts by the stamp."""
    archive_max_bytes: Annotated[int, Field(ge=1)] = 5_000_000
    archive_compression: Compression = Compression.GZIP
    archive_level: int = DEFAULT_LEVEL
    archive_partitions: Annotated[str, AfterValidator(check_partitions)] = HIVE
    index_buckets: Annotated[int, Field(ge=1, le=MAX_BUCKETS)] = BUCKETS
    """Entity buckets of event days not indexed so far; `millrace.index` says the trade-off."""
    assignments_ttl_s: Annotated[int, Field(ge=0)] = 60
    """How long what is known of an entity or an experiment may be used before it is read again."""
    absence_ttl_s: Annotated[int, Field(ge=0)] = 10
    """The same of one that is not there: shorter, for a first assignment is followed by events."""
    cached_assignments: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000
    """Entities and assignments kept together; about 500 bytes each, in a function of 512 MB."""
    cached_experiments: Annotated[int, Field(ge=10, le=10_000)] = 1_000

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
