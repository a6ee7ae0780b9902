"""Resharding: a shard is read when its parents are done with, so a key's records stay in order.

https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shard:
    """A shard as ListShards shows it; parents: those that it was split or merged from."""

    shard_id: str
    parents: tuple[str, ...] = ()


def readable(shards: Sequence[Shard], done: Collection[str]) -> list[str]:
    """Return the shards to read now: not done themselves, and no listed parent is unfinished.

    A parent that is no longer listed has outlived its records: nothing of it can be waited for.
    """
    listed = {shard.shard_id for shard in shards}
    return [
        shard.shard_id
        for shard in shards
        if shard.shard_id not in done
        and all(parent in done or parent not in listed for parent in shard.parents)
    ]
