"""Why records were quarantined, read from the objects that commit rows name."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import orjson

from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.commit import CommitHead, ShardKey
from millrace.errors import ObjectMissing
from millrace.raw_lines import unpack
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError
from millrace_cli.status import Status


class Heads(Protocol):
    """Where commits are listed."""

    def heads(self, shard: ShardKey) -> Iterator[CommitHead]:
        """Yield every commit of a shard, in order."""
        ...


class Bodies(Protocol):
    """Where quarantine objects are read."""

    def get(self, key: str) -> bytes:
        """Return an object's bytes."""
        ...


def reasons_between(
    heads: Heads, objects: Bodies, incarnation: str, baseline: Status, status: Status
) -> Mapping[str, int]:
    """Return how many records were quarantined for each reason, the most frequent first.

    Counted are the commits between two readings of the pipeline; one object is read for each that
    rejected something.
    """
    reasons: Counter[str] = Counter()
    for key in _keys(heads, incarnation, baseline, status):
        reasons.update(str(orjson.loads(line)["reason"]) for line in unpack(objects.get(key)))
    return dict(sorted(reasons.items(), key=lambda each: (-each[1], each[0])))


def _keys(heads: Heads, incarnation: str, baseline: Status, status: Status) -> Iterable[str]:
    before = {shard.shard_id: shard.committed_seq for shard in baseline.shards}
    for shard in status.shards:
        seen = before.get(shard.shard_id, -1)
        for head in heads.heads(ShardKey(incarnation, shard.shard_id)):
            if head.quarantine_key and seen < head.first_seq <= shard.committed_seq:
                yield head.quarantine_key


class QuarantineReader:
    """The quarantine of one environment."""

    def __init__(self, environment: Environment) -> None:
        outputs = environment.outputs
        self._ledger = DynamoLedger(environment.clients.dynamodb(), outputs.tables.commits)
        self._objects = S3Objects(environment.clients.s3(), outputs.data_bucket)
        self._incarnation = outputs.stream_incarnation

    def reasons_between(self, baseline: Status, status: Status) -> Mapping[str, int]:
        """Return the reasons of what was quarantined between two readings.

        Raises:
            CommandError: the ledger or an object cannot be read.
        """
        try:
            with explained("read the quarantine"):
                return reasons_between(
                    self._ledger, self._objects, self._incarnation, baseline, status
                )
        except ObjectMissing as err:
            raise CommandError(
                f"quarantine object {err} is gone", "look at the bucket's lifecycle and versions"
            ) from err
