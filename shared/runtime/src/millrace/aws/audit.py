"""The audit table: a partition a month, entries in order of time; its keys are built here alone."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from millrace.audit import AuditEntry, Operation, Phase
from millrace.aws.errors import translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.times import format_ms, parse_rfc3339

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class DynamoAudit:
    """`millrace.audit.AuditLog` on DynamoDB."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry; when this returns, it is stored."""
        with translated("PutItem audit"):
            self._client.put_item(TableName=self._table, Item=to_attributes(_fields_of(entry)))

    def entries(self, start: datetime, end: datetime) -> Iterator[AuditEntry]:
        """Yield the entries of a half-open window in the order they were written."""
        for month in _months(start, end):
            yield from self._of_month(month, start, end)

    def _of_month(self, month: str, start: datetime, end: datetime) -> Iterator[AuditEntry]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            # BETWEEN includes its end, but no entry's key is only a time: it goes on behind it.
            KeyConditionExpression="#month = :month AND #entry BETWEEN :start AND :end",
            ExpressionAttributeNames={"#month": "month", "#entry": "entry"},
            ExpressionAttributeValues=to_attributes(
                {":month": month, ":start": format_ms(start), ":end": format_ms(end)}
            ),
            ConsistentRead=True,
        )
        with translated("Query audit"):
            for page in pages:
                yield from (_entry_of(from_attributes(item)) for item in page["Items"])


def _months(start: datetime, end: datetime) -> Iterator[str]:
    first = start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while first < end:
        yield f"{first:%Y-%m}"
        first = (first + timedelta(days=32)).replace(day=1)


def _fields_of(entry: AuditEntry) -> Mapping[str, Any]:
    at, operation = format_ms(entry.at), entry.operation
    return {
        "month": at[:7],
        "entry": f"{at}#{entry.operation_id}#{entry.phase}",
        "operation_id": entry.operation_id,
        "phase": entry.phase.value,
        "operation": operation.name,
        "subject": operation.subject,
        "who": operation.who,
        "reason": operation.reason,
        "details": dict(operation.details),
        "counts": dict(entry.counts),
        "result": entry.result,
    }


def _entry_of(fields: Mapping[str, Any]) -> AuditEntry:
    return AuditEntry(
        at=parse_rfc3339(fields["entry"].partition("#")[0]),
        operation_id=fields["operation_id"],
        phase=Phase(fields["phase"]),
        operation=Operation(
            name=fields["operation"],
            subject=fields["subject"],
            who=fields["who"],
            reason=fields["reason"],
            details=fields["details"],
        ),
        counts={name: int(number) for name, number in fields["counts"].items()},
        result=fields["result"],
    )
