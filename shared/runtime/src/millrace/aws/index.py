"""The event_index table: its keys, built here alone; writing its pages and reading them.

`<bucket>#<day>` / `<arrival ms>#<commit_id>`: a page (`body`, and its number of `events`).
`BUCKETS#<day>` / `BUCKETS`: the bucket count of that event day, written once.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import ClientError
from tenacity.nap import sleep as nap

from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.index import IndexPage, PagePlace
from millrace.index_reading import EntityEvents
from millrace.read_cost import ReadCost
from millrace.times import to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

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
        self.cost = ReadCost()
        self._batches = TableBatches(client, table, sleep, self.cost.add)

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one."""
        counts: dict[date, int] = {}
        keys = (_buckets_key(day) for day in days)
        for item in self._batches.read(keys, consistent=True):
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
        self._batches = TableBatches(client, table, sleep)
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
        self._batches.write(page_item(page) for page in pages)


class IndexReader(EntityEvents):
    """`millrace.index_reading.EntityEvents` on the event_index table."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        pages = DynamoIndexPages(client, table)
        super().__init__(pages)
        self.cost = pages.cost
        """What this reader's calls took so far."""
