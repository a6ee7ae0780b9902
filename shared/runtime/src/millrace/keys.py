"""Names of objects, and how ids from outside enter any key.

Real ids hold `#` and `/`, which are separators here: every id is percent-encoded.
"""

from datetime import UTC, datetime
from hashlib import blake2b
from urllib.parse import quote, unquote

from millrace.archive_layout import ArchiveLayout

_MAX_ENCODED_BYTES = 512
_KEPT_BYTES = 64

RAW = "raw"
QUARANTINE = "quarantine"
ENRICHED = "enriched"
ARCHIVE = "archive"
CLIENTS = "clients"
DEFINITIONS = "definitions"
REPLAYS = "replays"


def encode_id(value: str) -> str:
    """Return `value` with everything but letters, digits and `_.-~` percent-encoded.

    Ids of 256 characters can encode to 3,072 bytes, more than an S3 key (1,024) or a DynamoDB
    partition key (2,048) may have: past 512 bytes the rest is replaced by a hash of the whole id.
    What is kept is whole characters, so that the id which `decode_id` finds in a key leads back to
    that key.
    """
    encoded = quote(value, safe="")
    if len(encoded) <= _MAX_ENCODED_BYTES:
        return encoded
    digest = blake2b(value.encode(), digest_size=16).hexdigest()
    return f"{_beginning(value)}~{digest}"


def decode_id(key_part: str) -> str:
    """Return the id inside a key; of a very long one, its beginning and its hash."""
    return unquote(key_part)


def id_in_keys(value: str) -> str:
    """Return an id as a reader finds it in a key: itself, or what is kept of a very long one."""
    return decode_id(encode_id(value))


def raw_key(arrival: datetime, shard_id: str, first_seq: str, unique: str) -> str:
    """Return the key of a raw object, partitioned by the hour of its first arrival."""
    return f"{RAW}/{_by_arrival(arrival)}/{shard_id}-{first_seq}-{unique}.ndjson.gz"


def quarantine_key(arrival: datetime, shard_id: str, first_seq: str, unique: str) -> str:
    """Return the key of the quarantine object that belongs to a raw object."""
    return f"{QUARANTINE}/{_by_arrival(arrival)}/{shard_id}-{first_seq}-{unique}.ndjson.gz"


def enriched_key(commit_id: str) -> str:
    """Return the key of a commit's one enriched object."""
    return f"{ENRICHED}/{commit_id}.ndjson.gz"


def replay_enriched_key(replay_id: str, object_id: str) -> str:
    """Return the key of an enriched object that belongs to a replay."""
    return f"{ENRICHED}/replay={replay_id}/{object_id}.ndjson.gz"


def plan_chunk_key(plan_id: str, number: int) -> str:
    """Return the key of one part of a replay plan's messages."""
    return f"{REPLAYS}/{plan_id}/chunk-{number:05d}.ndjson.gz"


def archive_key(event_hour: datetime, commit_id: str, part: int, layout: ArchiveLayout) -> str:
    """Return the key of a commit's archive object number `part` (from 0)."""
    end = f"ndjson.{layout.compression.suffix}"
    return f"{ARCHIVE}/{layout.folder(event_hour)}/{commit_id}-{part}.{end}"


def client_folder(client_id: str) -> str:
    """Return the folder of one client's exports, with a slash at its end."""
    return f"{CLIENTS}/{encode_id(client_id)}/"


def definitions_key(version: str) -> str:
    """Return the key of the immutable metric definitions with hash `version`."""
    return f"{DEFINITIONS}/{version}.toml"


def _beginning(value: str) -> str:
    """Return as many characters, encoded, as fit."""
    kept = ""
    for character in value:
        longer = kept + quote(character, safe="")
        if len(longer) > _KEPT_BYTES:
            break
        kept = longer
    return kept


def _by_arrival(arrival: datetime) -> str:
    at = arrival.astimezone(UTC)
    return f"dt={at.date().isoformat()}/hour={at:%H}"
