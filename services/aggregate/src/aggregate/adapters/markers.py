"""Unique markers on DynamoDB."""

from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.nap import sleep as nap

from aggregate.adapters.waiting import ATTEMPTS, JITTER
from millrace.aws.aggregates import unique_key
from millrace.aws.batches import TableBatches, chunked
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.clock import Clock
from millrace.counting.deltas import Marker
from millrace.errors import ConfigError, RetryableError
from millrace.keys import encode_id

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

STATEMENTS_PER_CALL = 25  # BatchExecuteStatement's limit
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
_PERMANENT = frozenset({"AccessDenied", "ResourceNotFound", "ValidationError"})

T = TypeVar("T")


class DynamoMarkers:
    """`aggregate.ports.Markers`: 100 keys a read, 25 inserts a call.

    PartiQL's INSERT fails if the key is there, each statement by itself, for one write unit each
    (a transaction costs two, a conditional PutItem a call for each marker):
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        clock: Clock,
        ttl: timedelta,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._ttl = ttl
        self._insert = (
            f"INSERT INTO \"{table}\" VALUE {{'PK': ?, 'SK': ?, 'owner': ?, 'expires_at': ?}}"
        )
        self._batches = TableBatches(client, table, sleep)
        self._until_none_left = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=JITTER,
            retry=retry_if_result(bool),
        )

    def owners(self, markers: Collection[Marker]) -> Mapping[Marker, str]:
        """Return the owners of those markers that are there; strongly consistent.

        A marker past its time that is still there counts: it costs nothing to remember longer.
        """
        by_key = {_marker_key(marker): marker for marker in markers}
        keys = (to_attributes({"PK": pk, "SK": sk}) for pk, sk in by_key)
        rows = map(from_attributes, self._batches.read(keys, consistent=True))
        return {by_key[row["PK"], row["SK"]]: row["owner"] for row in rows}

    def insert_new(self, owners: Mapping[Marker, str]) -> AbstractSet[Marker]:
        """Insert each marker for its owner if it is not there; return those this call wrote."""
        expires_at = int((self._clock.now() + self._ttl).timestamp())
        inserted: set[Marker] = set()
        for chunk in chunked(owners.items(), STATEMENTS_PER_CALL):
            inserted |= self._insert_chunk(chunk, expires_at)
        return inserted

    def _insert_chunk(self, owned: list[tuple[Marker, str]], expires_at: int) -> set[Marker]:
        inserted: set[Marker] = set()
        left = owned

        def another_round() -> bool:
            nonlocal left
            left = self._insert_round(left, expires_at, inserted)
            return bool(left)

        self._repeat(another_round, "BatchExecuteStatement markers")
        return inserted

    def _insert_round(
        self, owned: list[tuple[Marker, str]], expires_at: int, inserted: set[Marker]
    ) -> list[tuple[Marker, str]]:
        """Send one call; add to `inserted` and return the markers that were throttled."""
        statements = [self._statement(marker, owner, expires_at) for marker, owner in owned]
        with translated("BatchExecuteStatement markers"):
            answer = self._client.batch_execute_statement(Statements=statements)
        throttled: list[tuple[Marker, str]] = []
        for (marker, owner), response in zip(owned, answer["Responses"], strict=True):
            error = response.get("Error")
            code = error.get("Code", "") if error else None
            if code is None:
                inserted.add(marker)
            elif code in _PERMANENT:
                raise ConfigError(f"the markers table refuses INSERT: {error}")
            elif code != "DuplicateItem":
                throttled.append((marker, owner))
        return throttled

    def _statement(
        self, marker: Marker, owner: str, expires_at: int
    ) -> "BatchStatementRequestTypeDef":
        pk, sk = _marker_key(marker)
        fields = to_attributes({"PK": pk, "SK": sk, "owner": owner, "expires_at": expires_at})
        return {"Statement": self._insert, "Parameters": list(fields.values())}

    def _repeat(self, another_round: Callable[[], bool], operation: str) -> None:
        try:
            self._until_none_left(another_round)
        except RetryError as err:
            raise RetryableError(f"{operation}: throttled {ATTEMPTS} times") from err


def _marker_key(marker: Marker) -> tuple[str, str]:
    """Return the keys: `UNIQUE#TYPE#edit#HOUR#2015-09-12T13#VER#live#users` and the entity."""
    key = marker.key
    return unique_key(key), encode_id(marker.entity_id)
