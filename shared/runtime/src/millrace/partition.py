"""Where an event goes on the stream: one rule for every door, so that an entity keeps its order."""

from hashlib import blake2b

MAX_KEY_BYTES = 256


def partition_key(entity_id: str) -> str:
    """Return the Kinesis key that keeps one entity's events in order.

    Kinesis takes keys of up to 256 characters and does not say how it counts those outside ASCII:
    an id of more than 256 bytes in UTF-8 is hashed.
    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html

    entity_id: not empty.
    """
    encoded = entity_id.encode()
    return entity_id if len(encoded) <= MAX_KEY_BYTES else key_of_bytes(encoded)


def key_of_bytes(data: bytes) -> str:
    """Return a key that spreads `data` over the shards: 32 hex digits."""
    return blake2b(data, digest_size=16).hexdigest()
