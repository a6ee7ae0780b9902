"""Promoting rows on DynamoDB: one transaction a row, and a record of it (docs/adr/0016).

The record is `REPLAY#<id>` / `PROMOTED#<hash of the row>#<milliseconds>` in the replays table. It
holds the items of the live row as they were, byte for byte, because that is what undoing puts back.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from millrace.aggregates import AggregateKey, Version
from millrace.aws.aggregates import row_sort_key, scope_key, unique_key
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.aws.promotion_items import (
    PROMOTED_PREFIX,
    StoredRow,
    listed,
    live_item,
    operator_fields,
    promotion_of,
    record_key,
    row_digest,
    unchanged,
    under,
)
from millrace.errors import RetryableError
from millrace.replay.promotion import (
    Choice,
    Operator,
    Outcome,
    OutcomeKind,
    Promotion,
)
from millrace.replay.record import Replay
from millrace.times import format_ms, to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from millrace.aws.ledger_items import Item

MOST_SHARDS = 98
"""One of the 100 items of a transaction is the record, one the row itself."""


class _Contended(RetryableError):
    """Another transaction held an item, live's counting most likely."""


class DynamoPromotions:
    """`millrace.replay.promoting.LiveRows`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        aggregates: str,
        markers: str,
        replays: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        """`aggregates`, `markers` and `replays` are the tables' names."""
        self._client = client
        self._aggregates = aggregates
        self._markers = markers
        self._replays = replays
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(8),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            retry=retry_if_exception_type(_Contended),
            reraise=True,
        )

    def promote(self, replay: Replay, choice: Choice, by: Operator) -> Outcome:
        """Have live take the row if both are what was compared, and record it with both values."""
        before = self._stored(choice.key)
        if before.promoted_version == replay.version:
            return _outcome(choice, OutcomeKind.SKIPPED, "promoted before")
        taken = self._stored(under(choice.key, replay.version))
        fault = self._fault(choice, before, taken, replay.version)
        if fault:
            return _outcome(choice, OutcomeKind.REFUSED, fault)
        writes = [
            self._put_record(replay, choice, before, by),
            *self._replaced(choice.key, before, live_item(choice, taken, replay, by)),
        ]
        if self._retrying(self._transact, writes):
            return _outcome(choice, OutcomeKind.DONE)
        if self._stored(choice.key).promoted_version == replay.version:  # an answer got lost
            return _outcome(choice, OutcomeKind.DONE)
        return _outcome(choice, OutcomeKind.REFUSED, "live changed just now; compare again")

    def restore(self, replay: Replay, promotion: Promotion, by: Operator) -> Outcome:
        """Give live back what it said before, if it says what the promotion wrote."""
        now = self._stored(promotion.key)
        if now.promoted_version != replay.version or now.content != promotion.after:
            return self._not_restored(replay, promotion, now)
        writes = [
            self._close_record(replay, promotion, by),
            *self._restored(promotion.key, now, self._before(replay, promotion)),
        ]
        if self._retrying(self._transact, writes):
            return _restored_outcome(promotion, OutcomeKind.DONE)
        return self._not_restored(replay, promotion, self._stored(promotion.key))

    def promotions(self, replay_id: str) -> Iterator[Promotion]:
        """Yield what was promoted, also what was restored, strongly consistent."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._replays,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
            ExpressionAttributeValues=to_attributes(
                {":pk": f"REPLAY#{replay_id}", ":sk": PROMOTED_PREFIX}
            ),
            ConsistentRead=True,
        )
        with translated("Query replays"):
            for page in pages:
                yield from (promotion_of(from_attributes(item)) for item in page["Items"])

    def _fault(self, choice: Choice, before: StoredRow, taken: StoredRow, version: Version) -> str:
        """Return why the row cannot be promoted; empty if it can."""
        if before.content != choice.before:
            return (
                f"live changed since it was compared: {choice.before.event_count:,} events then, "
                f"{before.content.event_count:,} now; compare again"
            )
        if taken.content != choice.after:
            return "the replay's row changed since it was compared; compare again"
        if len(before.items) > MOST_SHARDS:
            return f"the row is in {len(before.items)} shards; {MOST_SHARDS} at most"
        return self._markers_fault(choice, before, version) if choice.unique else ""

    def _markers_fault(self, choice: Choice, before: StoredRow, version: Version) -> str:
        """Return why the row cannot speak by the replay's markers; empty if it can."""
        if before.sharded(choice.key):
            return (
                "it counts entities and is spread over shards, which cannot change their markers "
                "at once"
            )
        counted = self._entities(under(choice.key, version))
        if counted != choice.after.value:
            return (
                f"the replay counted {choice.after.value} entities, and {counted} of their markers "
                "are there (they expire); replay again"
            )
        return ""

    def _stored(self, key: AggregateKey) -> StoredRow:
        """Return the items of a row, strongly consistent; `#` and `$` enclose those of shards."""
        sort_key = row_sort_key(key)
        pages = self._client.get_paginator("query").paginate(
            TableName=self._aggregates,
            KeyConditionExpression="PK = :scope AND SK BETWEEN :low AND :high",
            ExpressionAttributeValues=to_attributes(
                {":scope": scope_key(key.scope), ":low": sort_key, ":high": f"{sort_key}$"}
            ),
            ConsistentRead=True,
        )
        with translated("Query aggregates"):
            return StoredRow(tuple(item for page in pages for item in page["Items"]))

    def _entities(self, key: AggregateKey) -> int:
        """Return how many markers a unique row has."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._markers,
            KeyConditionExpression="PK = :row",
            ExpressionAttributeValues=to_attributes({":row": unique_key(key)}),
            Select="COUNT",
            ConsistentRead=True,
        )
        with translated("Query markers"):
            return sum(page["Count"] for page in pages)

    def _put_record(
        self, replay: Replay, choice: Choice, before: StoredRow, by: Operator
    ) -> "TransactWriteItemTypeDef":
        key = choice.key
        fields = {
            "scope": scope_key(key.scope),
            "window_start": format_ms(key.window.start),
            "width": key.window.width.value,
            "metric_name": key.metric,
            "before_content": listed(choice.before),
            "after_content": listed(choice.after),
            **operator_fields("promoted", by),
        }
        items: Any = {"before": {"L": [{"M": item} for item in before.items]}}
        promotion_id = f"{row_digest(key)}#{to_epoch_ms(by.at)}"
        return {
            "Put": {
                "TableName": self._replays,
                "Item": record_key(replay, promotion_id) | to_attributes(fields) | items,
                "ConditionExpression": "attribute_not_exists(PK)",
            }
        }

    def _close_record(
        self, replay: Replay, promotion: Promotion, by: Operator
    ) -> "TransactWriteItemTypeDef":
        fields = {f":{name}": value for name, value in operator_fields("undone", by).items()}
        sets = ", ".join(f"{name[1:]} = {name}" for name in fields)
        return {
            "Update": {
                "TableName": self._replays,
                "Key": record_key(replay, promotion.promotion_id),
                "UpdateExpression": f"SET {sets}",
                "ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(undone_at)",
                "ExpressionAttributeValues": to_attributes(fields),
            }
        }

    def _before(self, replay: Replay, promotion: Promotion) -> "tuple[Item, ...]":
        """Return the live row's items as they were before the promotion."""
        key = record_key(replay, promotion.promotion_id)
        with translated("GetItem replays"):
            answer = self._client.get_item(TableName=self._replays, Key=key, ConsistentRead=True)
        return tuple(each["M"] for each in answer["Item"]["before"]["L"])

    def _replaced(
        self, key: AggregateKey, before: StoredRow, item: "Item"
    ) -> "list[TransactWriteItemTypeDef]":
        """Put the row's own item; its shards go, as their content is in it now."""
        own, shards = self._parted(key, before)
        return [self._put(item, own), *map(self._delete, shards)]

    def _restored(
        self, key: AggregateKey, now: StoredRow, before: "Sequence[Item]"
    ) -> "list[TransactWriteItemTypeDef]":
        own, shards = self._parted(key, now)
        if own is None or shards:
            raise RetryableError("a promoted row cannot be in shards")
        was, were = self._parted(key, StoredRow(tuple(before)))
        first = self._put(was, own) if was is not None else self._delete(own)
        return [first, *(self._put(each, None) for each in were)]

    @staticmethod
    def _parted(key: AggregateKey, stored: StoredRow) -> "tuple[Item | None, list[Item]]":
        sort_key = row_sort_key(key)
        own = next((each for each in stored.items if each["SK"]["S"] == sort_key), None)
        return own, [each for each in stored.items if each["SK"]["S"] != sort_key]

    def _put(self, item: "Item", over: "Item | None") -> "TransactWriteItemTypeDef":
        condition, names, values = unchanged(over)
        put: Any = {"TableName": self._aggregates, "Item": item, "ConditionExpression": condition}
        if values:
            put |= {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}
        return {"Put": put}

    def _delete(self, item: "Item") -> "TransactWriteItemTypeDef":
        condition, names, values = unchanged(item)
        return {
            "Delete": {
                "TableName": self._aggregates,
                "Key": {"PK": item["PK"], "SK": item["SK"]},
                "ConditionExpression": condition,
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
        }

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> bool:
        """Write all or nothing; return False if a condition was not met.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        with translated("TransactWriteItems promotion"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                reasons: Any = err.response.get("CancellationReasons", [])
                codes = {str(reason.get("Code")) for reason in reasons}
                if "ConditionalCheckFailed" in codes:
                    return False
                if "TransactionConflict" in codes:
                    raise _Contended(f"TransactWriteItems promotion: {err}") from err
                raise
        return True

    def _not_restored(self, replay: Replay, promotion: Promotion, now: StoredRow) -> Outcome:
        record = {each.promotion_id: each for each in self.promotions(replay.replay_id)}
        if record[promotion.promotion_id].undone is not None:  # by this call or another one
            return _restored_outcome(promotion, OutcomeKind.DONE)
        why = (
            f"live is not what the promotion wrote: {promotion.after.event_count:,} events then, "
            f"{now.content.event_count:,} now; undoing would lose what was counted since"
        )
        if now.promoted_version not in {None, replay.version}:
            why = f"live took version {now.promoted_version} since; undo that promotion first"
        return _restored_outcome(promotion, OutcomeKind.REFUSED, why)


def _outcome(choice: Choice, kind: OutcomeKind, why: str = "") -> Outcome:
    return Outcome(choice.key, kind, choice.before, choice.after, why)


def _restored_outcome(promotion: Promotion, kind: OutcomeKind, why: str = "") -> Outcome:
    return Outcome(promotion.key, kind, promotion.after, promotion.before, why)
