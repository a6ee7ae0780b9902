"""The event_index table: its keys, built here alone; writing its pages and reading them.

`<bucket>#<day>` / `<arrival ms>#<commit_id>`: a page (`body`, and its number of `events`).
`BUCKETS#<day>` / `BUCKETS`: the bucket count of that event day, written once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import ClientError
from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.errors import RetryableError
from millrace.index import IndexPage, PagePlace
from millrace.index_reading import EntityEvents
from millrace.times import to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

PAGES_PER_WRITE = 25  # BatchWriteItem's limit; 25 pages of at most 300 KB stay below its 16 MB
KEYS_PER_READ = 100  # BatchGetItem's limit
_ATTEMPTS = 8  # at the items of one call, about 10 s in all
_DAYS_KEPT = 10_000
_BUCKETS = "BUCKETS"

T = TypeVar("T")


def page_key(page: IndexPage) -> "Item":
    """Return the key of a page; a part number only where a commit's events did not fit one."""
    part = "" if page.part is None else f"#{page.part:04d}"
    sort_key = f"{to_epoch_ms(page.arrived):013d}#{page.commit_id}{part}"
    return to_attributes({"PK": _partition(page.place), "SK": sort_key})


def page_item(page: IndexPage) -> "Item":
    """Return a page as it is stored."""
    return page_key(page) | to_attributes({"events": page.events, "body": page.body})


def _partition(place: PagePlace) -> str:
    return f"{place.bucket}#{place.day.isoformat()}"


def _buckets_key(day: date) -> "Item":
    return to_attributes({"PK": f"{_BUCKETS}#{day.isoformat()}", "SK": _BUCKETS})


@dataclass(slots=True)
class ReadCost:
    """What reading took so far."""

    queries: int = 0
    """Query pages of at most 1 MB."""
    units: float = 0.0
    """Read units, as DynamoDB counted them."""

    def add(self, answer: Any) -> None:  # noqa: ANN401 - any answer that tells its capacity
        """Count an answer's units; a batch call tells them per table."""
        told = answer.get("ConsumedCapacity") or []
        for each in told if isinstance(told, list) else [told]:
            self.units += float(each.get("CapacityUnits", 0.0))


class DynamoIndexPages:
    """`millrace.ports.IndexPages`; reads are strongly consistent, so a settled index is exact."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._table = table
        self._retrying = _retrying(sleep)
        self.cost = ReadCost()

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one."""
        counts: dict[date, int] = {}
        for chunk in _chunks(days, KEYS_PER_READ):
            for item in self._items([_buckets_key(day) for day in chunk]):
                row = from_attributes(item)
                day = date.fromisoformat(row["PK"].removeprefix(f"{_BUCKETS}#"))
                counts[day] = int(row["buckets"])
        return counts

    def bodies(self, day: date, bucket: int) -> Iterator[bytes]:
        """Yield the bodies of all pages of one partition, in order of arrival."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="PK = :place",
            ExpressionAttributeValues=to_attributes({":place": _partition(PagePlace(day, bucket))}),
            ProjectionExpression="body",
            ConsistentRead=True,
            ReturnConsumedCapacity="TOTAL",
        )
        with translated("Query event index"):
            for page in pages:
                self.cost.queries += 1
                self.cost.add(page)
                for item in page["Items"]:
                    yield bytes(item["body"]["B"])

    def _items(self, keys: "list[Item]") -> list[Mapping[str, Any]]:
        """Read one call's keys; what DynamoDB leaves unprocessed is asked again, with jitter.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
        """
        items: list[Mapping[str, Any]] = []
        left = keys

        def read() -> int:
            nonlocal left
            with translated("BatchGetItem event index"):
                answer: Any = self._client.batch_get_item(
                    RequestItems={self._table: {"Keys": left, "ConsistentRead": True}},
                    ReturnConsumedCapacity="TOTAL",
                )
            self.cost.add(answer)
            items.extend(answer["Responses"].get(self._table, []))
            left = answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            return len(left)

        _until_none_left(self._retrying, read, "BatchGetItem event index: keys unread")
        return items


class DynamoIndexWriter:
    """`millrace.ports.IndexWriter`; days that have no bucket count yet get `buckets`."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        buckets: int,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._client = client
        self._table = table
        self._buckets = buckets
        self._retrying = _retrying(sleep)
        self._stored = DynamoIndexPages(client, table, sleep)
        self._known: dict[date, int] = {}

    def settled_buckets(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day, stored for good by whoever came first.

        A count never changes once stored, so what was read is kept; a busy day costs one read per
        cold start.
        """
        wanted = set(days)
        if len(self._known) > _DAYS_KEPT:
            self._known.clear()
        unknown = sorted(wanted - self._known.keys())
        self._known |= self._stored.bucket_counts(unknown)
        missing = [day for day in unknown if day not in self._known]
        for day in missing:
            self._claim(day)
        self._known |= self._stored.bucket_counts(missing)  # mine, or of who was faster
        return {day: self._known[day] for day in wanted}

    def _claim(self, day: date) -> None:
        item = _buckets_key(day) | to_attributes({"buckets": self._buckets})
        with translated("PutItem event index"):
            try:
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(PK)",
                )
            except ClientError as err:
                if code_of(err) != "ConditionalCheckFailedException":
                    raise

    def write(self, pages: Sequence[IndexPage]) -> None:
        """Write the pages, over equal earlier ones; raise RetryableError if some stay unwritten."""
        for chunk in _chunks(pages, PAGES_PER_WRITE):
            self._write(chunk)

    def _write(self, pages: Sequence[IndexPage]) -> None:
        """Write one call's pages; what DynamoDB leaves unprocessed is written again, with jitter.

        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
        """
        left: list[Any] = [{"PutRequest": {"Item": page_item(page)}} for page in pages]

        def write() -> int:
            nonlocal left
            with translated("BatchWriteItem event index"):
                answer: Any = self._client.batch_write_item(RequestItems={self._table: left})
            left = answer.get("UnprocessedItems", {}).get(self._table, [])
            return len(left)

        _until_none_left(self._retrying, write, "BatchWriteItem event index: pages unwritten")


class IndexReader(EntityEvents):
    """`millrace.index_reading.EntityEvents` on the event_index table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        pages = DynamoIndexPages(client, table)
        super().__init__(pages)
        self.cost = pages.cost
        """What this reader's calls took so far."""


def _retrying(sleep: Callable[[float], None]) -> Retrying:
    return Retrying(
        sleep=sleep,
        stop=stop_after_attempt(_ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.05, max=3),
        retry=retry_if_result(bool),
    )


def _until_none_left(retrying: Retrying, call: Callable[[], int], problem: str) -> None:
    left = 0

    def counted() -> int:
        nonlocal left
        left = call()
        return left

    with suppress(RetryError):
        retrying(counted)
    if left:
        raise RetryableError(f"{problem} after {_ATTEMPTS} attempts: {left}")


def _chunks(values: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk
