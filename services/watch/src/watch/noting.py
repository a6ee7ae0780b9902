"""What the mapping gave up, from the notice of it into the ledger.

A notice is a message of SQS, kept for days; a row of the ledger is kept until somebody repairs or
abandons the batch, and after.
"""

from dataclasses import dataclass

from aws_lambda_powertools import Logger

from millrace.discarded.notice import object_keys, read_notice
from millrace.ports import Objects
from watch.ports import Discards


@dataclass(frozen=True, slots=True)
class NoteTaking:
    """The use case, over its ports."""

    objects: Objects
    discards: Discards
    incarnation: str
    """Of the stream: the notice names only shards."""
    logger: Logger

    def note(self, body: str) -> int:
        """Keep the batches that a message tells of; return how many were new.

        Raises:
            MalformedNotice: it tells of none, and never will.
            ObjectMissing: the object is gone, or not there yet; RetryableError: so may it be.
        """
        new = 0
        for key in object_keys(body):
            batch = read_notice(self.objects.get(key), self.incarnation, key)
            new += self.discards.note(batch)
            self.logger.error(
                "batch discarded",
                extra={
                    "batch_id": batch.batch_id,
                    "shard": str(batch.shard),
                    "records": batch.records,
                    "condition": batch.condition,
                    "request_id": batch.request_id,
                },
            )
        return new
