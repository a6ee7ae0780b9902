"""The manifests table: its keys, built here alone, and which archive objects an hour has.

Under an hour lie a row for each archive object and one for each client that the hour was exported
for; under `DIRTY` lie the hours that changed since they were exported.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.keys import ARCHIVE, CLIENTS, client_folder

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

_DIRTY = "DIRTY"


def dirty_key(hour: str) -> "Item":
    """Return the key under which an hour waits for its export."""
    return to_attributes({"hour": _DIRTY, "object_key": hour})


def client_key(hour: str, client_id: str) -> "Item":
    """Return the key of what was exported of an hour for one client."""
    return to_attributes({"hour": hour, "object_key": client_folder(client_id)})


class ManifestsReader:
    """Reads the table; strongly consistent. May raise RetryableError or ConfigError."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def archived(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of an hour's archive objects, in order of their keys."""
        return self._rows(hour, f"{ARCHIVE}/")

    def exported(self, hour: str) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of the clients that an hour was exported for, in order."""
        return self._rows(hour, f"{CLIENTS}/")

    def dirty(self) -> Iterator[Mapping[str, Any]]:
        """Yield the hours that wait for their export, the earliest first."""
        return self._rows(_DIRTY, "")

    def _rows(self, partition: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        condition, values = "#hour = :hour", {":hour": partition}
        if prefix:
            condition += " AND begins_with(object_key, :prefix)"
            values[":prefix"] = prefix
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeNames={"#hour": "hour"},  # a reserved word
            ExpressionAttributeValues=to_attributes(values),
            ConsistentRead=True,
        )
        with translated("Query manifests"):
            for page in pages:
                yield from map(from_attributes, page["Items"])
