"""The replays table: plans, replays, their progress and audit; its keys are built here alone.

`PLAN#<id>` / `PLAN`: a plan. `PLAN#<id>` / `REPLAY#<id>`: a replay of it.
`PLAN#<id>` / `APPLIED#<dry run>#<queue>`: the one that stands for its application.
`REPLAY#<id>` / `REPLAY`: where it stands. `/ AUDIT#<time>#<action>`: who did what.
`REPLAY#<id>` / `OBJECT#<object id>`: what enrich made of some messages, and if it is counted.
`REPLAY#<id>` / `SKIPPED#<hash>`: an event that was left out.
`REPLAY#<id>` / `PROMOTED#<hash of the row>#<time>`: a row that live took (`aws.promotions`).
`REPLAY#<id>` / `PRESSURE`: when the processor was throttled last.
`VERSION#<version>` / `VERSION`: whose version it is. `REPLAYS` / `<time>#<id>`: the list of all.
"""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from millrace.aggregates import Version
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.errors import RejectedRecord, RetryableError
from millrace.replay.errors import PlanBroken, UnknownReplay
from millrace.replay.plan import Plan
from millrace.replay.progress import ProcessedObject, SkippedEvent, joined, parted, place_hash
from millrace.replay.record import Action, AuditEntry, Cursor, Replay, ReplayPlace, ReplayState
from millrace.times import format_ms, parse_rfc3339

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

    from millrace.aws.ledger_items import Item

_REPLAY, _PLAN, _LIST = "REPLAY", "PLAN", "REPLAYS"
_DETAIL_CHARACTERS = 500
_LISTED_A_PAGE = 101


class DynamoReplays:
    """`millrace.replay.ports.ReplayLedger` and `ProcessorLedger`; reads are strongly consistent."""

    def __init__(
        self, client: "DynamoDBClient", table: str, sleep: Callable[[float], None] = nap
    ) -> None:
        self._client = client
        self._table = table
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(6),
            wait=wait_random_exponential(multiplier=0.05, max=1),
            retry=retry_if_exception_type(_Contended),
            reraise=True,
        )

    def save_plan(self, plan: Plan) -> None:
        """Keep a plan for good."""
        body = zlib.compress(orjson.dumps(plan.to_fields()))
        item = _key(f"PLAN#{plan.plan_id}", _PLAN) | to_attributes({"body": body})
        with translated("PutItem replays"):
            self._client.put_item(TableName=self._table, Item=item)

    def plan(self, plan_id: str) -> Plan:
        """Return a plan; raise UnknownReplay if there is none of that id."""
        row = self._get(_key(f"PLAN#{plan_id}", _PLAN))
        if row is None:
            raise UnknownReplay(f"there is no plan {plan_id}")
        try:
            return Plan.from_fields(orjson.loads(zlib.decompress(bytes(row["body"]))))
        except (zlib.error, KeyError, TypeError, ValueError, RejectedRecord) as err:
            raise PlanBroken(f"plan {plan_id} cannot be read: {err}; make a new plan") from err

    def reserve_version(self, version: Version, replay_id: str) -> bool:
        """Reserve the version for this replay; return False if another one has it."""
        key = _key(f"VERSION#{version}", "VERSION")
        if self._put_new(key | to_attributes({"replay_id": replay_id})):
            return True
        row = self._get(key)
        return row is not None and row["replay_id"] == replay_id

    def applied_by(self, plan_id: str, *, dry_run: bool, queue_url: str) -> str | None:
        """Return the id of the replay that stands for such an application of the plan."""
        row = self._get(_applied_key(plan_id, dry_run, queue_url))
        return None if row is None else str(row["replay_id"])

    def start(
        self, replay: Replay, audit: AuditEntry, *, beside: bool = True, over: str | None = None
    ) -> bool:
        """Write a new replay; return False if it is there already, or another one is."""
        started = format_ms(replay.started_at)
        items = [
            _replay_key(replay.replay_id) | _replay_item(replay),
            _key(f"PLAN#{replay.plan_id}", f"REPLAY#{started}#{replay.replay_id}"),
            _key(_LIST, _list_sort(replay.place)),
            _audit_item(replay.replay_id, audit),
        ]
        applied = [] if beside else [self._claim(replay, over)]
        return self._transact([*(self._put(item) for item in items), *applied])

    def _claim(self, replay: Replay, over: str | None) -> "TransactWriteItemTypeDef":
        key = _applied_key(replay.plan_id, replay.dry_run, replay.queue_url)
        claim = self._put(key | to_attributes({"replay_id": replay.replay_id}))
        if over is not None:
            claim["Put"]["ConditionExpression"] = "replay_id = :over"
            claim["Put"]["ExpressionAttributeValues"] = to_attributes({":over": over})
        return claim

    def replay(self, replay_id: str) -> Replay:
        """Return a replay; raise UnknownReplay if there is none of that id."""
        row = self._get(_replay_key(replay_id))
        if row is None:
            raise UnknownReplay(f"there is no replay {replay_id}")
        return _replay_of(row)

    def advance(self, before: Replay, after: Replay, audit: AuditEntry | None = None) -> bool:
        """Write `after` if the replay is still at `before`'s step; return whether it was."""
        put: TransactWriteItemTypeDef = {
            "Put": {
                "TableName": self._table,
                "Item": _replay_key(after.replay_id) | _replay_item(after),
                "ConditionExpression": "step = :before",
                "ExpressionAttributeValues": to_attributes({":before": before.step}),
            }
        }
        noted = [self._put(_audit_item(after.replay_id, audit))] if audit else []
        return self._transact([put, *noted])

    def note(self, replay_id: str, audit: AuditEntry) -> None:
        """Add an entry to the audit."""
        self._put_new(_audit_item(replay_id, audit))

    def audit(self, replay_id: str) -> Sequence[AuditEntry]:
        """Return the audit, oldest first."""
        return [
            AuditEntry(
                parse_rfc3339(row["at"]),
                row["who"],
                Action(row["action"]),
                row["reason"],
                row["result"],
            )
            for row in self._rows(f"REPLAY#{replay_id}", "AUDIT#")
        ]

    def replays(self, after: ReplayPlace | None = None) -> Iterator[Replay]:
        """Yield the replays, newest first: all, or those that follow one in this order."""
        for sort_key in self._listed(None if after is None else _list_sort(after)):
            yield self.replay(sort_key.partition("#")[2])

    def _listed(self, before: str | None) -> Iterator[str]:
        """Yield the list's sort keys, falling; read by the page, as few may be wanted."""
        condition, values = "PK = :pk", {":pk": _LIST}
        if before is not None:
            condition, values = f"{condition} AND SK < :before", values | {":before": before}
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression=condition,
            ExpressionAttributeValues=to_attributes(values),
            ConsistentRead=True,
            ScanIndexForward=False,
            PaginationConfig={"PageSize": _LISTED_A_PAGE},
        )
        with translated("Query replays"):
            for page in pages:
                yield from (str(from_attributes(item)["SK"]) for item in page["Items"])

    def replays_of_plan(self, plan_id: str) -> Sequence[str]:
        """Return the ids of the replays of a plan, oldest first."""
        rows = self._rows(f"PLAN#{plan_id}", "REPLAY#")
        return [row["SK"].split("#", 2)[2] for row in rows]

    def objects(self, replay_id: str) -> Iterator[ProcessedObject]:
        """Yield what the processor made of the messages."""
        for row in self._rows(f"REPLAY#{replay_id}", "OBJECT#"):
            yield ProcessedObject(
                object_id=row["SK"].removeprefix("OBJECT#"),
                key=row["key"],
                places=parted(bytes(row["places"])),
                counted="counted_at" in row,
            )

    def skipped(self, replay_id: str) -> Iterator[SkippedEvent]:
        """Yield the events that the processor left out."""
        for row in self._rows(f"REPLAY#{replay_id}", "SKIPPED#"):
            yield SkippedEvent(row["place"], row["event_id"], row["reason"], row["detail"])

    def list_object(self, replay_id: str, made: ProcessedObject) -> None:
        """Note an object that enrich made; again, if it is noted already."""
        key = _key(f"REPLAY#{replay_id}", f"OBJECT#{made.object_id}")
        fields = {"key": made.key, "places": joined(made.places)}
        self._put_new(key | to_attributes(fields))

    def skip(self, replay_id: str, event: SkippedEvent) -> None:
        """Note an event that can never be processed; again, if it is noted already."""
        key = _key(f"REPLAY#{replay_id}", f"SKIPPED#{place_hash(event.place).hex()}")
        fields = {
            "place": event.place,
            "event_id": event.event_id,
            "reason": event.reason,
            "detail": event.detail[:_DETAIL_CHARACTERS],
        }
        self._put_new(key | to_attributes(fields))

    def mark_counted(self, replay_id: str, object_id: str, at_ms: int) -> None:
        """Note that aggregate has counted every event of an object."""
        with translated("UpdateItem replays"):
            self._client.update_item(
                TableName=self._table,
                Key=_key(f"REPLAY#{replay_id}", f"OBJECT#{object_id}"),
                UpdateExpression="SET counted_at = if_not_exists(counted_at, :at)",
                ConditionExpression="attribute_exists(PK)",
                ExpressionAttributeValues=to_attributes({":at": at_ms}),
            )

    def note_pressure(self, replay_id: str, at_ms: int) -> None:
        """Note that the processor was throttled, so that the worker sends less."""
        item = _pressure_key(replay_id) | to_attributes({"at_ms": at_ms})
        with translated("PutItem replays"):
            self._client.put_item(TableName=self._table, Item=item)

    def pressure_ms(self, replay_id: str) -> int | None:
        """Return when the processor was throttled last; None if it never was."""
        row = self._get(_pressure_key(replay_id))
        return None if row is None else int(row["at_ms"])

    def _rows(self, partition: str, prefix: str) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :pk AND begins_with(SK, :sk)",
            ExpressionAttributeValues=to_attributes({":pk": partition, ":sk": prefix}),
            ConsistentRead=True,
        )
        with translated("Query replays"):
            for page in pages:
                yield from map(from_attributes, page["Items"])

    def _get(self, key: "Item") -> dict[str, Any] | None:
        with translated("GetItem replays"):
            answer = self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True)
        return from_attributes(answer["Item"]) if "Item" in answer else None

    def _put_new(self, item: "Item") -> bool:
        with translated("PutItem replays"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(PK)",
                )
            except ClientError as err:
                if code_of(err) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def _put(self, item: "Item") -> "TransactWriteItemTypeDef":
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": "attribute_not_exists(PK)",
            }
        }

    def _transact(self, writes: "list[TransactWriteItemTypeDef]") -> bool:
        """Write all or nothing; return False if a condition was not met.

        Where a person's action meets the worker's checkpoint DynamoDB refuses one of them, which
        says nothing about its condition, and boto3 does not try again:
        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
        """
        written: bool = self._retrying(self._transact_once, writes)
        return written

    def _transact_once(self, writes: "list[TransactWriteItemTypeDef]") -> bool:
        with translated("TransactWriteItems replays"):
            try:
                self._client.transact_write_items(TransactItems=writes)
            except ClientError as err:
                reasons = _reasons(err)
                if "ConditionalCheckFailed" in reasons:
                    return False
                if "TransactionConflict" in reasons:
                    raise _Contended(f"TransactWriteItems replays: {err}") from err
                raise
        return True


class _Contended(RetryableError):
    """Another transaction held the replay's item."""


def _reasons(err: ClientError) -> set[str]:
    reasons: Any = err.response.get("CancellationReasons", [])
    return {str(reason.get("Code")) for reason in reasons}


def _key(partition: str, sort: str) -> "Item":
    return to_attributes({"PK": partition, "SK": sort})


def _replay_key(replay_id: str) -> "Item":
    return _key(f"REPLAY#{replay_id}", _REPLAY)


def _list_sort(place: ReplayPlace) -> str:
    return f"{format_ms(place.started_at)}#{place.replay_id}"


def _applied_key(plan_id: str, dry_run: bool, queue_url: str) -> "Item":
    kind = "dry-run" if dry_run else "replay"
    return _key(f"PLAN#{plan_id}", f"APPLIED#{kind}#{queue_url}")


def _pressure_key(replay_id: str) -> "Item":
    return _key(f"REPLAY#{replay_id}", "PRESSURE")


def _audit_item(replay_id: str, audit: AuditEntry) -> "Item":
    at = format_ms(audit.at)
    return _key(f"REPLAY#{replay_id}", f"AUDIT#{at}#{audit.action.value}") | to_attributes(
        {
            "at": at,
            "who": audit.who,
            "action": audit.action.value,
            "reason": audit.reason,
            "result": audit.result,
        }
    )


def _replay_item(replay: Replay) -> "Item":
    cursor = replay.cursor
    return to_attributes(
        {
            "replay_id": replay.replay_id,
            "plan_id": replay.plan_id,
            "plan_hash": replay.plan_hash,
            "version": replay.version,
            "defs_version": replay.defs_version,
            "state": replay.state.value,
            "dry_run": replay.dry_run,
            "rate": replay.rate,
            "messages": replay.messages,
            "queue_url": replay.queue_url,
            "started_by": replay.started_by,
            "started_at": format_ms(replay.started_at),
            "reason": replay.reason,
            "updated_at": format_ms(replay.updated_at),
            "cursor": [cursor.chunk, cursor.message, cursor.sent],
            "step": replay.step,
            "current_rate": round(replay.current_rate),
            "slowed_because": replay.slowed_because,
            "failed_because": replay.failed_because,
        }
    )


def _replay_of(row: Mapping[str, Any]) -> Replay:
    return Replay(
        replay_id=row["replay_id"],
        plan_id=row["plan_id"],
        plan_hash=row["plan_hash"],
        version=Version(row["version"]),
        defs_version=row["defs_version"],
        state=ReplayState(row["state"]),
        dry_run=row["dry_run"],
        rate=int(row["rate"]),
        messages=int(row["messages"]),
        queue_url=row["queue_url"],
        started_by=row["started_by"],
        started_at=parse_rfc3339(row["started_at"]),
        reason=row["reason"],
        updated_at=parse_rfc3339(row["updated_at"]),
        cursor=Cursor(*map(int, row["cursor"])),
        step=int(row["step"]),
        current_rate=float(row["current_rate"]),
        slowed_because=row["slowed_because"],
        failed_because=row.get("failed_because", ""),
    )
