"""What export reads from its environment."""

from typing import Annotated

from pydantic import Field

from export.domain.form import FileCompression, FileFormat
from millrace.settings import FunctionSettings


class ExportSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched, archived and exported events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    manifests_table: str
    """Table of archived and exported objects by hour of event time."""
    stream_arn: str
    """Stream whose shards an hour waits for."""
    stream_incarnation: str
    """Tells a recreated stream, which reuses shard ids, from the one before it."""
    export_format: FileFormat = FileFormat.NDJSON
    """How the events of a client's file are written."""
    export_compression: FileCompression = FileCompression.NONE
    """How a client's file is compressed."""
    export_client_buckets: Annotated[dict[str, str], Field(default_factory=dict)]
    """JSON object: bucket by client id, for clients that have one of their own."""
    export_grace_s: Annotated[int, Field(ge=0)] = 240
    """Seconds for which an hour, after its end, still waits for what arrives late."""
    export_segments: Annotated[int, Field(ge=1, le=64)] = 8
    """Archive objects read at once; each is held in memory, some megabytes at most."""
    export_uploads: Annotated[int, Field(ge=1, le=16)] = 4
    """Files written at once; each holds one part of an upload."""
    export_spill_bytes: Annotated[int, Field(ge=1_000_000)] = 256_000_000
    """Compressed events of one pass on disk: about half of the function's /tmp."""
    export_reserve_s: Annotated[int, Field(ge=1)] = 180
    """Seconds of an invocation that are kept for what was begun: a pass over the archive."""
