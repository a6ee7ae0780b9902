"""Counters on DynamoDB: the rows of the aggregates table, added to once for each part."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep as nap

from aggregate.adapters.waiting import ATTEMPTS, JITTER
from aggregate.domain.packing import Counter
from millrace.aws.aggregates import row_key, stored_bounds
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import head_key, to_attributes
from millrace.clock import Clock
from millrace.commit import ShardKey
from millrace.errors import CommitMissing, ConfigError, RetryableError
from millrace.times import format_ms, to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from millrace.aws.ledger_items import Item

# What retrying cannot mend; throttles and conflicts pass.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_PERMANENT = frozenset({"ValidationError", "ItemCollectionSizeLimitExceeded"})
_ADD = (
    "SET metric_name = if_not_exists(metric_name, :metric),"
    " window_start = if_not_exists(window_start, :start),"
    " window_end = if_not_exists(window_end, :end),"
    " version = if_not_exists(version, :version),"
    " sample_event_ids = if_not_exists(sample_event_ids, :samples),"
    " updated_at = :at"
    " ADD #value :value, event_count :events, input_hash :hash, defs_versions :defs"
)


class _Contended(RetryableError):
    """Another transaction held a row, or the table was throttled: worth an own retry."""


class DynamoCounters:
    """`aggregate.ports.Counters`: one TransactWriteItems for each part."""

    def __init__(
        self,
        client: "DynamoDBClient",
        commits_table: str,
        aggregates_table: str,
        clock: Clock,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._commits = commits_table
        self._aggregates = aggregates_table
        self._clock = clock
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(ATTEMPTS),
            wait=JITTER,
            retry=retry_if_exception_type(_Contended),
            reraise=True,
        )

    def add_once(
        self,
        shard: ShardKey,
        first_seq: int,
        part: int,
        counters: Sequence[Counter],
        defs_version: str,
    ) -> bool:
        """Add all counters and mark the part on its commit, unless it is marked already.

        An answer that got lost is met by the mark, so no request token has to be kept.
        """
        mark = f"agg_{part}"
        writes: list[TransactWriteItemTypeDef] = [
            self._mark(head_key(shard, first_seq), mark),
            *(self._add(counter, defs_version) for counter in counters),
        ]
        if self._retrying(self._written, writes):
            return True
        if self._is_marked(shard, first_seq, mark):
            return False
        raise RetryableError(
            f"the ledger refused {mark} of {shard} {first_seq} but has no such mark"
        )

    def _written(self, writes: "Sequence[TransactWriteItemTypeDef]") -> bool:
        """Return False if the condition on the first item, the mark, does not hold."""
        with translated("TransactWriteItems counters"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                if code_of(err) != "TransactionCanceledException":
                    raise
                reasons = _reasons(err)
                if reasons[:1] == ["ConditionalCheckFailed"]:
                    return False
                permanent = _PERMANENT.intersection(reasons)
                error = ConfigError if permanent else _Contended
                raise error(f"TransactWriteItems counters: {err}") from err
        return True

    def _is_marked(self, shard: ShardKey, first_seq: int, mark: str) -> bool:
        with translated("GetItem commits"):
            answer = self._client.get_item(
                TableName=self._commits,
                Key=head_key(shard, first_seq),
                ProjectionExpression="seq, #mark",
                ExpressionAttributeNames={"#mark": mark},
                ConsistentRead=True,
            )
        if "Item" not in answer:
            raise CommitMissing(f"the ledger holds no commit at {shard} {first_seq}")
        return mark in answer["Item"]

    def _mark(self, key: "Item", mark: str) -> "TransactWriteItemTypeDef":
        now_ms = to_epoch_ms(self._clock.now())
        return {
            "Update": {
                "TableName": self._commits,
                "Key": key,
                "UpdateExpression": "SET #mark = :at",
                "ConditionExpression": "attribute_not_exists(#mark) AND attribute_exists(seq)",
                "ExpressionAttributeNames": {"#mark": mark},
                "ExpressionAttributeValues": to_attributes({":at": now_ms}),
            }
        }

    def _add(self, counter: Counter, defs_version: str) -> "TransactWriteItemTypeDef":
        key, delta = counter.key, counter.delta
        start, end = stored_bounds(key.window)
        values = {
            ":metric": key.metric,
            ":start": start,
            ":end": end,
            ":version": key.version,
            ":samples": list(delta.sample_event_ids),
            ":at": format_ms(self._clock.now()),
            ":value": delta.value,
            ":events": delta.event_count,
            ":hash": delta.input_hash,
            ":defs": {defs_version},
        }
        return {
            "Update": {
                "TableName": self._aggregates,
                "Key": row_key(key),
                "UpdateExpression": _ADD,
                "ExpressionAttributeNames": {"#value": "value"},  # a reserved word
                "ExpressionAttributeValues": to_attributes(values),
            }
        }


def _reasons(err: ClientError) -> list[str]:
    reasons: Any = err.response.get("CancellationReasons", [])
    return [str(reason.get("Code", "")) for reason in reasons]
