"""Enrich's own adapters: object metadata on S3, experiments and assignments on DynamoDB."""

from base64 import b64encode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, SupportsBytes

from botocore.exceptions import ClientError
from tenacity.nap import sleep as nap

from enrich.domain import AssignmentRow, ExperimentMetadata
from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.objects import S3Objects
from millrace.clock import Clock
from millrace.errors import ConfigError, ObjectMissing
from millrace.keys import decode_id, encode_id

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

    from millrace.aws.ledger_items import Item


class S3StampedObjects(S3Objects):
    """`enrich.ports.StampedObjects` on S3."""

    def __init__(self, client: "S3Client", bucket: str) -> None:
        super().__init__(client, bucket)
        self._s3 = client
        self._data_bucket = bucket

    def metadata_of(self, key: str) -> Mapping[str, str]:
        """Return the object's metadata; raise ObjectMissing if there is no object.

        HeadObject asks for s3:GetObject, and names a missing object by the bare status, 404:
        https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
        """
        with translated(f"HeadObject {key}"):
            try:
                return self._s3.head_object(Bucket=self._data_bucket, Key=key)["Metadata"]
            except ClientError as err:
                if code_of(err) in {"404", "NoSuchKey"}:
                    raise ObjectMissing(key) from err
                raise


class DynamoExperiments:
    """`enrich.ports.Experiments`: the whole table, which is small, kept for `ttl`.

    Also when it is empty: a deployment without experiments reads it once per `ttl`, no more.
    """

    def __init__(
        self, client: "DynamoDBClient", table: str, clock: Clock, ttl: timedelta, at_most: int
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._ttl = ttl
        self._at_most = at_most
        self._kept: tuple[datetime, ExperimentMetadata] | None = None

    def all(self) -> ExperimentMetadata:
        """Return every experiment's metadata by id, at most `ttl` old."""
        now = self._clock.now()
        if self._kept is None or now - self._kept[0] >= self._ttl:
            self._kept = (now, self._read())
        return self._kept[1]

    def _read(self) -> ExperimentMetadata:
        found: dict[str, Mapping[str, object]] = {}
        pages = self._client.get_paginator("scan").paginate(TableName=self._table)
        with translated("Scan experiments"):
            for page in pages:
                found |= dict(_experiment(item) for item in page["Items"])
                self._check(len(found))
        return dict(sorted(found.items()))

    def _check(self, number: int) -> None:
        # Reading only some of them would leave assignments out of objects written once.
        if number > self._at_most:
            raise ConfigError(
                f"table {self._table} holds more than {self._at_most} experiments; "
                "delete those that have ended or raise EXPERIMENTS_MAX"
            )


class DynamoAssignments:
    """`enrich.ports.Assignments` by whole keys, 100 a call.

    A Query per entity would be a call per entity.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._batches = TableBatches(client, table, sleep)

    def rows(
        self, entities: Sequence[str], experiments: Collection[str]
    ) -> Iterator[AssignmentRow]:
        """Yield the rows that exist; raise RetryableError if some keys stayed unread."""
        entity_of = {encode_id(each): each for each in entities}
        experiment_of = {encode_id(each): each for each in sorted(experiments)}
        for item in self._batches.read(_keys(entity_of, experiment_of)):
            row = from_attributes(item)
            yield AssignmentRow(
                entity_id=entity_of[row["entity_id"]],
                experiment_id=experiment_of[row["experiment_id"]],
                variant=_text(row.get("variant")),
                assigned_at=_text(row.get("assigned_at")),
            )


def _keys(entities: Iterable[str], experiments: Collection[str]) -> "Iterator[Item]":
    for entity in entities:
        for experiment in experiments:
            yield to_attributes({"entity_id": entity, "experiment_id": experiment})


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _experiment(item: Mapping[str, Any]) -> tuple[str, Mapping[str, object]]:
    row = from_attributes(item)
    experiment_id = decode_id(row.pop("experiment_id"))
    return experiment_id, {name: _plain(row[name]) for name in sorted(row)}


def _plain(value: object) -> object:
    """Return a DynamoDB value as JSON can hold it, in one order whatever DynamoDB's was."""
    match value:
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case SupportsBytes():  # boto3's Binary
            return b64encode(bytes(value)).decode()
        case set():
            return sorted((_plain(each) for each in value), key=str)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(value[name]) for name in sorted(value)}
        case _:
            return value
