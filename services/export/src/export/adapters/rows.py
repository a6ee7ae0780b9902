"""Export's view of the manifests table."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from export.domain.files import Content, Exported, Place, Status, form_of
from export.domain.sources import ArchivedObject
from export.ports import DirtyHour, Overtaken
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.manifests import ManifestsReader, client_key, dirty_key
from millrace.clock import Clock
from millrace.times import format_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoDirtyHours:
    """`export.ports.DirtyHours` in the manifests table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._reader = ManifestsReader(client, table)

    def all(self) -> Iterator[DirtyHour]:
        """Yield the hours that wait, the earliest first."""
        for row in self._reader.dirty():
            yield DirtyHour(row["object_key"], row["token"])

    def clear(self, seen: DirtyHour) -> bool:
        """Delete the row if its token is the one that was seen."""
        with translated("DeleteItem manifests"):
            try:
                self._client.delete_item(
                    TableName=self._table,
                    Key=dirty_key(seen.hour),
                    ConditionExpression="#token = :token",
                    ExpressionAttributeNames={"#token": "token"},  # a reserved word
                    ExpressionAttributeValues=to_attributes({":token": seen.token}),
                )
            except ClientError as err:
                if code_of(err) == _CONDITION_FAILED:
                    return False
                raise
        return True


class DynamoExports:
    """`export.ports.Exports`: one item a client, under its hour."""

    def __init__(self, client: "DynamoDBClient", table: str, clock: Clock) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._reader = ManifestsReader(client, table)

    def of(self, hour: str) -> Iterator[Exported]:
        """Yield the clients that an hour has rows for."""
        return map(_exported, self._reader.exported(hour))

    def settle(self, hour: str, client_id: str, place: Place) -> Exported:
        """Return the client's row, made now if there was none."""
        new = Exported(client_id, place)
        if self._put(hour, new, "attribute_not_exists(object_key)", {}):
            return new
        return self._read(hour, client_id) or new

    def update(self, hour: str, seen: Exported, now: Exported) -> None:
        """Write `now` over the revision of `seen`; raise Overtaken if it has passed."""
        if self._put(hour, now, "revision = :seen", {":seen": seen.revision}):
            return
        if self._read(hour, now.client_id) != now:  # else an answer was lost: it is our own
            raise Overtaken(f"another export changed the row of {now.client_id} in {hour}")

    def _put(self, hour: str, row: Exported, condition: str, values: Mapping[str, Any]) -> bool:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": client_key(hour, row.client_id) | to_attributes(self._fields(row)),
            "ConditionExpression": condition,
        }
        if values:
            request["ExpressionAttributeValues"] = to_attributes(values)
        with translated("PutItem manifests"):
            try:
                self._client.put_item(**request)
            except ClientError as err:
                if code_of(err) == _CONDITION_FAILED:
                    return False
                raise
        return True

    def _read(self, hour: str, client_id: str) -> Exported | None:
        key = client_key(hour, client_id)
        with translated("GetItem manifests"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return _exported(from_attributes(answer["Item"])) if "Item" in answer else None

    def _fields(self, row: Exported) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "client_id": row.client_id,
            "bucket": row.place.bucket,
            "file_key": row.place.key,
            "format": row.place.form.format.value,
            "compression": row.place.form.compression.value,
            "revision": row.revision,
            "status": row.status.value if row.status else None,
            "written_at": format_ms(self._clock.now()),
        }
        if row.content:
            fields |= {
                "source_digest": row.content.digest,
                "events": row.content.events,
                "input_hash": row.content.input_hash,
                "bytes": row.content.size_bytes,
                "sha256": row.content.sha256,
            }
        return fields


def _exported(row: Mapping[str, Any]) -> Exported:
    form = form_of(row["format"], row["compression"])
    content = None
    if "source_digest" in row:
        content = Content(
            row["source_digest"],
            int(row["events"]),
            row["input_hash"],
            int(row["bytes"]),
            row["sha256"],
        )
    return Exported(
        client_id=row["client_id"],
        place=Place(row["bucket"], row["file_key"], form),
        revision=int(row["revision"]),
        content=content,
        status=Status(row["status"]) if "status" in row else None,
    )


def archived_object(row: Mapping[str, Any]) -> ArchivedObject:
    """Return the archive object in a row that archive wrote."""
    clients = row.get("clients")
    return ArchivedObject(
        key=row["object_key"],
        events=int(row["events"]),
        size_bytes=int(row["bytes"]),
        input_hash=int(row["input_hash"], 16),
        clients=None
        if clients is None
        else {client_id: int(events) for client_id, events in clients.items()},
    )
