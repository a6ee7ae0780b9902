"""What is unfinished, out of the commits table's sparse index and the shards' checkpoints."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from millrace.aws.arrivals import KinesisShards
from millrace.aws.batches import TableBatches
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import head_of
from millrace.commit import CommitHead
from millrace.investigate.unfinished import LastOfShard

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoUnfinished:
    """`millrace.investigate.unfinished.Unfinished`."""

    def __init__(self, client: "DynamoDBClient", table: str, shards: KinesisShards) -> None:
        self._batches = TableBatches(client, table)
        self._ledger = DynamoLedger(client, table)
        self._discards = DynamoDiscards(client, table)
        self._shards = shards

    def commits(self, most: int) -> Sequence[CommitHead]:
        """Return commits that some stage has yet to mark, `most` of them at most.

        The index is eventually consistent; what it names is read from the table.
        """
        keys = islice(self._ledger.unfinished_keys(), most)
        heads = map(head_of, self._batches.read(keys, consistent=True))
        left = (head for head in heads if not head.finished)
        return sorted(left, key=lambda head: (head.committed_at, head.commit_id))

    def discarded_since(self) -> list[datetime]:
        """Return when the first record of each open discarded batch arrived."""
        return self._discards.open_since()

    def shards(self) -> Iterator[LastOfShard]:
        """Yield every shard that the stream has or had, as it is read."""
        for shard in self._shards.all():
            latest, checkpoint = self._ledger.latest(shard), self._ledger.read(shard)
            yield LastOfShard(shard, latest, len(checkpoint.pending))
