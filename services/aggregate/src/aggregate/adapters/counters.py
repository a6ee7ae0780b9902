"""Counters on DynamoDB: the rows of the aggregates table, added to once for each part."""

from collections.abc import Callable, Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep as nap

from aggregate.adapters.marks import PartMarks
from aggregate.adapters.waiting import ATTEMPTS, BUNDLE_ATTEMPTS, JITTER
from aggregate.domain.hot import HotScopes
from aggregate.domain.packing import Part, Place, Sum, sums_of
from aggregate.ports import RowMoved
from millrace.aggregates import LIVE, AggregateKey, Version
from millrace.aws.aggregates import (
    PROMOTED_VERSION,
    row_key,
    row_sort_key,
    scope_key,
    stored_bounds,
)
from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.clock import Clock
from millrace.errors import ConfigError, RetryableError
from millrace.times import format_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef, UpdateTypeDef

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


_REPLAYED = _ADD.replace(" ADD", ", replay_version = if_not_exists(replay_version, :version) ADD")
"""Puts the row into the index `by_version`, which live rows stay out of."""
NOTHING_HOT = HotScopes()


_OWN_MARKERS = f"attribute_not_exists({PROMOTED_VERSION})"
_REPLAY_S_MARKERS = f"{PROMOTED_VERSION} = :promoted"


class _Contended(RetryableError):
    """Another transaction held a row, or the table was throttled: worth an own retry."""


class DynamoCounters:
    """`aggregate.ports.Counters`: one TransactWriteItems for the parts, their marks first."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        marks: PartMarks,
        clock: Clock,
        *,
        hot: HotScopes = NOTHING_HOT,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._table = table
        self._marks = marks
        self._clock = clock
        self._hot = hot
        self._sleep = sleep
        self._batches = TableBatches(client, table, sleep)

    def add_once(self, parts: Sequence[Part]) -> AbstractSet[Place]:
        """Add all counters and mark the parts; return those marked already, then nothing is added.

        An answer that got lost is met by the marks, so no request token has to be kept.
        """
        unit_id = parts[0].unit.id
        writes: list[TransactWriteItemTypeDef] = [
            *map(self._marks.update, parts),
            *(self._add(each, unit_id) for each in sums_of(parts)),
        ]
        refused = self._retrying(parts)(self._refused, parts, writes)
        marked = {part.place for part in refused if self._marks.is_settled(part)}
        for part in refused:
            if part.place not in marked:
                raise RetryableError(f"{part.mark} of {part.unit} was refused, and is not there")
        return marked

    def promoted(self, keys: Collection[AggregateKey]) -> Mapping[AggregateKey, Version]:
        """Return the replays' versions that live rows were promoted from; strongly consistent."""
        asked = {(scope_key(key.scope), row_sort_key(key)): key for key in keys}
        wanted = (to_attributes({"PK": pk, "SK": sk}) for pk, sk in asked)
        rows = map(from_attributes, self._batches.read(wanted, consistent=True))
        return {
            asked[row["PK"], row["SK"]]: Version(row[PROMOTED_VERSION])
            for row in rows
            if PROMOTED_VERSION in row
        }

    def is_settled(self, part: Part) -> bool:
        """Tell whether the part is marked, strongly consistent: it will not be written again."""
        return self._marks.is_settled(part)

    def _retrying(self, parts: Sequence[Part]) -> Retrying:
        """A bundle gives up sooner than a part alone, whose turn comes after it."""
        return Retrying(
            sleep=self._sleep,
            stop=stop_after_attempt(ATTEMPTS if len(parts) == 1 else BUNDLE_ATTEMPTS),
            wait=JITTER,
            retry=retry_if_exception_type(_Contended),
            reraise=True,
        )

    def _refused(
        self, parts: Sequence[Part], writes: "Sequence[TransactWriteItemTypeDef]"
    ) -> list[Part]:
        """Write; return the parts whose mark did not meet its condition, if any."""
        with translated("TransactWriteItems counters"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                if code_of(err) != "TransactionCanceledException":
                    raise
                reasons = _reasons(err)
                refused = [
                    part
                    for part, reason in zip(parts, reasons, strict=False)
                    if reason == "ConditionalCheckFailed"
                ]
                if refused:
                    return refused
                if "ConditionalCheckFailed" in reasons:
                    raise RowMoved("a unique row was promoted or restored meanwhile") from err
                permanent = _PERMANENT.intersection(reasons)
                error = ConfigError if permanent else _Contended
                raise error(f"TransactWriteItems counters: {err}") from err
        return []

    def _add(self, each: Sum, unit_id: str) -> "TransactWriteItemTypeDef":
        key, delta = each.key, each.delta
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
            ":defs": set(each.defs_versions),
        }
        update: UpdateTypeDef = {
            "TableName": self._table,
            "Key": row_key(key, self._hot.shard_of(key.scope, unit_id)),
            "UpdateExpression": _ADD if key.version == LIVE else _REPLAYED,
            "ExpressionAttributeNames": {"#value": "value"},  # a reserved word
            "ExpressionAttributeValues": to_attributes(values),
        }
        if key.version == LIVE and delta.markers_of == LIVE:
            update["ConditionExpression"] = _OWN_MARKERS
        elif key.version == LIVE and delta.markers_of is not None:
            update["Key"] = row_key(key)  # a shard would not know that the row has moved
            update["ConditionExpression"] = _REPLAY_S_MARKERS
            update["ExpressionAttributeValues"] = to_attributes(
                values | {":promoted": delta.markers_of}
            )
        return {"Update": update}


def _reasons(err: ClientError) -> list[str]:
    reasons: Any = err.response.get("CancellationReasons", [])
    return [str(reason.get("Code", "")) for reason in reasons]
