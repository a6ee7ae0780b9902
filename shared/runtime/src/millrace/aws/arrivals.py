"""Where the commits of a time begin, found without a scan; and every shard that there ever was.

A shard's rows are sorted by sequence number, and Kinesis numbers rise with time within a shard
(https://docs.aws.amazon.com/streams/latest/dev/key-concepts.html#sequence-number).
"""

import re
from datetime import datetime
from typing import TYPE_CHECKING

from millrace.aws.errors import translated
from millrace.aws.ledger import DynamoLedger
from millrace.commit import ShardKey

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient

_SHARD_ID = re.compile(r"shardId-(\d{12})")


def first_arrived(ledger: DynamoLedger, shard: ShardKey, at: datetime) -> int | None:
    """Return where the commits of a shard begin whose last record arrived at `at` or later.

    Each turn halves the numbers between a commit that came too early and one that did not, and
    goes on from the commits that it finds: about as many turns as it takes to halve them. Two
    reads of one row a turn at most.
    """
    early, late = ledger.after(shard, 0), ledger.latest(shard)
    if early is None or late is None or late.last_arrival < at:
        return None
    if early.last_arrival >= at:
        return early.first_seq
    while True:
        middle = (early.first_seq + late.first_seq) // 2
        found = ledger.before(shard, middle + 1)
        if found is None or found.first_seq <= early.first_seq:
            found = ledger.after(shard, middle + 1)
            if found is None or found.first_seq >= late.first_seq:
                return late.first_seq  # nothing lies between the two
        if found.last_arrival >= at:
            late = found
        else:
            early = found


class KinesisShards:
    """The shards of a stream, those that Kinesis has forgotten included."""

    def __init__(self, client: "KinesisClient", stream_arn: str, incarnation: str) -> None:
        self._client = client
        self._stream_arn = stream_arn
        self._incarnation = incarnation

    def all(self) -> list[ShardKey]:
        """Return every shard that the stream has or had, sorted.

        Kinesis lists a closed shard until its records expire, and numbers shards from 0 in the
        order of their making: a number below the highest that it lists was a shard once.
        """
        pages = self._client.get_paginator("list_shards").paginate(StreamARN=self._stream_arn)
        with translated("ListShards"):
            listed = {shard["ShardId"] for page in pages for shard in page["Shards"]}
        numbers = [int(match[1]) for match in map(_SHARD_ID.fullmatch, listed) if match]
        made = {f"shardId-{number:012d}" for number in range(max(numbers, default=-1) + 1)}
        return [ShardKey(self._incarnation, shard_id) for shard_id in sorted(listed | made)]
