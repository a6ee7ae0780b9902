"""The assignments table: one item an entity, one attribute an experiment.

`entity_id` (percent-encoded) / `EXPERIMENT#<experiment_id>`: {`variant`, `assigned_at`}, once for
each experiment. Why not an item for each pair: docs/adr/0012-assignments-by-entity.md.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenacity.nap import sleep as nap

from millrace.assignments import EntityAssignment, EntityAssignments
from millrace.aws.batches import TableBatches
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.errors import RejectedRecord
from millrace.keys import encode_id
from millrace.times import format_ms, parse_rfc3339

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

_EXPERIMENT = "EXPERIMENT#"


def _key(entity_id: str) -> "Item":
    return to_attributes({"entity_id": encode_id(entity_id)})


class DynamoAssignments:
    """Reads assignments by entity, 100 a call, half a read unit each, whatever it is in."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._batches = TableBatches(client, table, sleep)

    def of(self, entities: Sequence[str]) -> Mapping[str, EntityAssignments]:
        """Return what is stored for each of `entities` (distinct); the others are left out.

        Raises:
            RetryableError: some keys stayed unread: a short answer is never taken for a whole one.
            ConfigError: a missing right or table.
        """
        entity_of = {encode_id(each): each for each in entities}
        found = self._batches.read(_key(each) for each in entity_of.values())
        rows = (from_attributes(item) for item in found)
        return {entity_of[row["entity_id"]]: _assignments(row) for row in rows}


class AssignmentsWriter:
    """Writes assignments; those of other experiments stay as they are."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def assign(
        self, entity_id: str, assignments: Sequence[EntityAssignment]
    ) -> Mapping[str, EntityAssignment | None]:
        """Store `assignments` (one an experiment); return what stood there before, by experiment.

        One call, all or nothing, and the same again changes nothing.

        Raises:
            RetryableError, ConfigError: nothing was stored, or only the answer was lost.
        """
        names = {f"#a{n}": _attribute(each) for n, each in enumerate(assignments)}
        values = {f":a{n}": _value(each) for n, each in enumerate(assignments)}
        sets = ", ".join(f"#a{n} = :a{n}" for n in range(len(assignments)))
        with translated(f"UpdateItem {self._table}"):
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(entity_id),
                UpdateExpression=f"SET {sets}",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=to_attributes(values),
                ReturnValues="ALL_OLD",
            )
        before = from_attributes(answer.get("Attributes", {}))
        return {
            each.experiment_id: _read(each.experiment_id, before.get(_attribute(each)))
            for each in assignments
        }


def _attribute(assignment: EntityAssignment) -> str:
    return f"{_EXPERIMENT}{assignment.experiment_id}"


def _value(assignment: EntityAssignment) -> dict[str, str]:
    return {"variant": assignment.variant, "assigned_at": format_ms(assignment.assigned_at)}


def _assignments(row: Mapping[str, Any]) -> EntityAssignments:
    stored = {
        name.removeprefix(_EXPERIMENT): value
        for name, value in sorted(row.items())
        if name.startswith(_EXPERIMENT)
    }
    read = [_read(experiment, value) for experiment, value in stored.items()]
    known = tuple(each for each in read if each is not None)
    return EntityAssignments(known, malformed=len(read) - len(known))


def _read(experiment_id: str, value: object) -> EntityAssignment | None:
    """Return the assignment in an attribute; None if it is not there or not readable."""
    if not isinstance(value, Mapping):
        return None
    variant, assigned_at = value.get("variant"), value.get("assigned_at")
    if not (isinstance(variant, str) and variant and isinstance(assigned_at, str)):
        return None
    try:
        return EntityAssignment(experiment_id, variant, parse_rfc3339(assigned_at))
    except RejectedRecord:
        return None
