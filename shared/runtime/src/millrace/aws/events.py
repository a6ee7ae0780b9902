"""Reading one event's bytes: by its id through the gate, or by its entry in the index."""

from collections import OrderedDict
from typing import TYPE_CHECKING

from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.commit import Commit, Owner, ShardKey
from millrace.errors import CommitMissing
from millrace.identity import gate_key
from millrace.index import IndexEntry
from millrace.ports import CommitFinder, Objects
from millrace.stored import StoredEvent, line_at, raw_place, stored_event

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_COMMITS_KEPT = 64


class EventReader:
    """Reads single events. Commits are kept: the lines of one never change."""

    def __init__(
        self, client: "DynamoDBClient", gate_table: str, ledger: CommitFinder, objects: Objects
    ) -> None:
        self._client = client
        self._gate_table = gate_table
        self._ledger = ledger
        self._objects = objects
        self._commits: OrderedDict[tuple[ShardKey, int], Commit] = OrderedDict()

    def by_id(self, source: str, event_id: str) -> StoredEvent | None:
        """Return the event that first came under (source, event_id); None if the gate knows none.

        Gate, owner, commit, and one Range GET. The gate forgets an id after its horizon (30 days
        by default): the event is then found only by its entity.

        Raises:
            CommitMissing: the event passed the gate but is not committed (yet).
            LineMissing, ObjectMissing: the ledger and the bucket disagree.
            ConfigError, RetryableError: a table or the bucket cannot be read.
        """
        owner = self.owner_of(source, event_id)
        if owner is None:
            return None
        shard = ShardKey.parse(owner.shard)
        head = self._ledger.covering(shard, owner.seq)
        if head is None:
            raise CommitMissing(
                f"event {event_id} of {source} came with record {owner.seq} of {owner.shard}, "
                "which no commit holds yet"
            )
        commit = self._commit(shard, head.first_seq)
        return self._read(commit, line_at(commit, owner.seq, owner.position))

    def read(self, entry: IndexEntry) -> StoredEvent:
        """Return the event that an index entry names: its commit, and one Range GET.

        Raises:
            CommitMissing, LineMissing, ObjectMissing: index, ledger and bucket disagree.
            ConfigError, RetryableError: a table or the bucket cannot be read.
        """
        return self._read(self._commit(entry.shard, entry.first_seq), entry.line)

    def owner_of(self, source: str, event_id: str) -> Owner | None:
        """Return the place of the event that holds (source, event_id), strongly consistent."""
        with translated("GetItem gate"):
            answer = self._client.get_item(
                TableName=self._gate_table,
                Key=to_attributes({"id": gate_key(source, event_id)}),
                ConsistentRead=True,
            )
        # An item past its horizon, which TTL deletes days late, still tells the truth.
        item = answer.get("Item")
        return Owner.parse(from_attributes(item)["owner"]) if item else None

    def _read(self, commit: Commit, line: int) -> StoredEvent:
        place = raw_place(commit, line)
        member = self._objects.get_range(place.key, place.offset, place.length)
        return stored_event(commit, line, place, member)

    def _commit(self, shard: ShardKey, first_seq: int) -> Commit:
        key = shard, first_seq
        if key not in self._commits:
            self._commits[key] = self._ledger.load(shard, first_seq)
            if len(self._commits) > _COMMITS_KEPT:
                self._commits.popitem(last=False)
        self._commits.move_to_end(key)
        return self._commits[key]
