"""The marks of parts: on the commit's row, or on the marker of a replayed event."""

from datetime import timedelta
from typing import TYPE_CHECKING

from aggregate.domain.packing import Part
from aggregate.domain.units import CommitUnit, ReplayUnit
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, head_key, to_attributes
from millrace.clock import Clock
from millrace.errors import CommitMissing
from millrace.times import to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from millrace.aws.ledger_items import Item


class PartMarks:
    """Builds the update that marks a part, and tells whether it was made before."""

    def __init__(
        self,
        client: "DynamoDBClient",
        commits_table: str,
        markers_table: str,
        clock: Clock,
        ttl: timedelta,
    ) -> None:
        """`ttl` is how long the marker of a replayed event is kept."""
        self._client = client
        self._commits = commits_table
        self._markers = markers_table
        self._clock = clock
        self._ttl = ttl

    def update(self, part: Part) -> "TransactWriteItemTypeDef":
        """Return the item of a transaction that marks the part unless it is marked."""
        update, condition = "SET #mark = :at", "attribute_not_exists(#mark)"
        values: dict[str, object] = {":at": to_epoch_ms(self._clock.now())}
        if isinstance(part.unit, CommitUnit):
            condition += " AND attribute_exists(seq)"
        else:
            update += (
                ", defs_version = if_not_exists(defs_version, :defs)"
                ", expires_at = if_not_exists(expires_at, :expires)"
            )
            condition += " AND (attribute_not_exists(defs_version) OR defs_version = :defs)"
            expires_at = int((self._clock.now() + self._ttl).timestamp())
            values |= {":defs": part.defs_version, ":expires": expires_at}
        table, key = self._place(part)
        return {
            "Update": {
                "TableName": table,
                "Key": key,
                "UpdateExpression": update,
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#mark": part.mark},
                "ExpressionAttributeValues": to_attributes(values),
            }
        }

    def is_settled(self, part: Part) -> bool:
        """Tell whether the part needs no writing any more; strongly consistent.

        Replayed events come in other company at each delivery, so one may be in two objects with
        two definitions. The first one written counts it, all parts of it: its reference comes
        again until they are written.

        Raises:
            CommitMissing: the ledger holds no such commit.
        """
        table, key = self._place(part)
        with translated(f"GetItem {table}"):
            answer = self._client.get_item(TableName=table, Key=key, ConsistentRead=True)
        if "Item" not in answer and isinstance(part.unit, CommitUnit):
            raise CommitMissing(f"the ledger holds no {part.unit}")
        item = from_attributes(answer.get("Item", {}))
        return part.mark in item or item.get("defs_version", part.defs_version) != part.defs_version

    def _place(self, part: Part) -> tuple[str, "Item"]:
        if isinstance(part.unit, CommitUnit):
            return self._commits, head_key(part.unit.shard, part.unit.first_seq)
        return self._markers, _marker_key(part.unit)


def _marker_key(unit: ReplayUnit) -> "Item":
    """Return the key: `REPLAYED#1766914200#<hash of the event>` and its arrival."""
    return to_attributes(
        {"PK": f"REPLAYED#{unit.version}#{unit.event}", "SK": str(unit.arrival_ms)}
    )
