"""mapping.json: how far each shard has got; written by the poller, read by whoever waits for it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from millrace_local.files import write_json

NO_RESULT = "No records processed"


@dataclass
class ShardProgress:
    """How far one shard has got. Times are epoch seconds."""

    position: str | None = None  # last sequence number with nothing open at or before it
    delivered: int = 0  # records processed since the poller began with the shard
    discarded: int = 0  # records given up since then
    lost: int = 0  # records that the stream's retention took before they were processed
    buffered: int = 0  # records read, not yet done with
    in_flight: int = 0  # records of the invocations that are running
    iterator_age_ms: int = 0  # age of the oldest record that is not done with; 0 if none is known
    caught_up_at: float | None = None  # as of this moment every record in the shard was done with
    attempts: int = 0  # failed attempts at the batch in hand
    last_result: str = "no records yet"
    blocked: str | None = None  # why this shard goes no further, until the poller starts again
    closed: bool = False  # the shard was split, merged or deleted, and is done with
    origin: str = "TRIM_HORIZON"  # where it is read from as long as there is no position
    origin_at: float | None = None  # for AT_TIMESTAMP


@dataclass
class MappingProgress:
    """One mapping with its shards."""

    stream_arn: str
    function_arn: str
    ignored_settings: list[str] = field(default_factory=list)
    shards: dict[str, ShardProgress] = field(default_factory=dict)
    paused: bool = False
    result: str = NO_RESULT  # LastProcessingResult
    problem: str | None = None  # why the mapping cannot be run at all

    def drained(self, since: float) -> bool:
        """Say whether every record that was in the stream at `since` is done with.

        Closed shards alone say nothing: their children have not been found yet.
        """
        reading = [shard for shard in self.shards.values() if not shard.closed]
        return bool(reading) and all(
            shard.caught_up_at is not None and shard.caught_up_at >= since for shard in reading
        )

    def blocked(self) -> dict[str, str]:
        """Return the blocked shards and why each is."""
        return {shard_id: s.blocked for shard_id, s in self.shards.items() if s.blocked}


def write_state(path: Path, mappings: Mapping[str, MappingProgress]) -> None:
    """Replace the file at once."""
    write_json(path, {"mappings": {uuid: asdict(mapping) for uuid, mapping in mappings.items()}})


def read_state(path: Path) -> dict[str, MappingProgress]:
    """Return the progress of each mapping by its UUID; empty before the poller's first report."""
    try:
        document: dict[str, Any] = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    return {uuid: _mapping(entry) for uuid, entry in document["mappings"].items()}


def _mapping(entry: Mapping[str, Any]) -> MappingProgress:
    shards = {shard_id: ShardProgress(**shard) for shard_id, shard in entry["shards"].items()}
    return MappingProgress(**{**entry, "shards": shards})
