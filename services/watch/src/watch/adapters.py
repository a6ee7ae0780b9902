"""The stream's shards on Kinesis."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from millrace.aws.errors import translated

if TYPE_CHECKING:
    from types_boto3_kinesis import KinesisClient


class KinesisStream:
    """`watch.ports.Stream` on ListShards."""

    def __init__(self, client: "KinesisClient", stream_arn: str) -> None:
        self._client = client
        self._stream_arn = stream_arn

    def shard_ids(self) -> Sequence[str]:
        """Return every shard that can still be read, closed ones included."""
        pages = self._client.get_paginator("list_shards").paginate(StreamARN=self._stream_arn)
        with translated("ListShards"):
            return [shard["ShardId"] for page in pages for shard in page["Shards"]]
