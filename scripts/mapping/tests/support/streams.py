"""Streams with a producer's side: in memory, and Kinesis through its API."""

import time
from dataclasses import dataclass
from typing import Any

from millrace_mapping import ports
from millrace_mapping.aws.kinesis import KinesisStream
from millrace_mapping.core.effects import Page
from millrace_mapping.core.lineage import Shard
from millrace_mapping.core.settings import Start
from millrace_mapping.simulation import stream as memory


@dataclass
class InMemory:
    """`ports.Stream` over the simulation's stream, on the real clock."""

    stream: memory.MemoryStream

    def shards(self) -> list[Shard]:
        return self.stream.shards()

    def retention_s(self) -> float:
        return self.stream.retention_s

    def open_iterator(self, shard_id: str, start: Start) -> str:
        return self.stream.open_iterator(shard_id, start, time.time())

    def read(self, iterator: str) -> Page:
        try:
            return self.stream.read(iterator, time.time())
        except memory.ReadFailed as err:
            raise ports.ReadFailed(err.fault) from err

    def put(self, key: str, data: bytes) -> str:
        return self.stream.put(key, data, time.time())[1].sequence

    def split(self, shard_id: str) -> None:
        self.stream.split(shard_id)


@dataclass
class OnMoto(KinesisStream):
    """The adapter under test, and a producer's side of the same stream."""

    client: Any
    arn: str

    def __post_init__(self) -> None:
        super().__init__(self.client, self.arn)

    def put(self, key: str, data: bytes) -> str:
        answer = self.client.put_record(StreamARN=self.arn, PartitionKey=key, Data=data)
        return answer["SequenceNumber"]

    def split(self, shard_id: str) -> None:
        self.client.split_shard(
            StreamARN=self.arn, ShardToSplit=shard_id, NewStartingHashKey=str(2**127)
        )
