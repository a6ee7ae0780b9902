"""Batch calls on one DynamoDB table, repeated with jitter until nothing is left unprocessed.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html#Programming.Errors.BatchOperations
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from tenacity import RetryError, Retrying, retry_if_result, stop_after_attempt
from tenacity.nap import sleep as nap
from tenacity.wait import wait_random_exponential

from millrace.aws.errors import translated
from millrace.errors import RetryableError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

    from millrace.aws.ledger_items import Item

KEYS_PER_READ = 100  # BatchGetItem's limit
ITEMS_PER_WRITE = 25  # BatchWriteItem's limit
_ATTEMPTS = 8  # at the items of one call, about 10 s in all

T = TypeVar("T")


class TableBatches:
    """Reads and writes of any number of items of one table. May block.

    Raises:
        RetryableError: some items stayed unprocessed: a short answer is not taken for a whole one.
        ConfigError: a missing right or table.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
        on_answer: Callable[[Any], None] = lambda _: None,
    ) -> None:
        """`on_answer` sees every answer of a read, its consumed capacity included."""
        self._client = client
        self._table = table
        self._on_answer = on_answer
        self._retrying = Retrying(
            sleep=sleep,
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.05, max=3),
            retry=retry_if_result(bool),
        )

    def read(self, keys: "Iterable[Item]", *, consistent: bool = False) -> Iterator[Any]:
        """Yield the items that exist under `keys` (distinct), in no particular order."""
        for chunk in chunked(keys, KEYS_PER_READ):
            yield from self._read(chunk, consistent=consistent)

    def write(self, items: "Iterable[Item]") -> None:
        """Put the items, over whatever is under their keys (distinct)."""
        for chunk in chunked(items, ITEMS_PER_WRITE):
            self._write(chunk)

    def _read(self, keys: "list[Item]", *, consistent: bool) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = []

        def call(left: list[Any]) -> list[Any]:
            wanted: Any = {self._table: {"Keys": left, "ConsistentRead": consistent}}
            with translated(f"BatchGetItem {self._table}"):
                answer: Any = self._client.batch_get_item(
                    RequestItems=wanted, ReturnConsumedCapacity="TOTAL"
                )
            self._on_answer(answer)
            found.extend(answer["Responses"].get(self._table, []))
            unread: list[Any] = (
                answer.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", [])
            )
            return unread

        self._until_none_left(call, keys, f"BatchGetItem {self._table}: keys unread")
        return found

    def _write(self, items: "list[Item]") -> None:
        def call(left: list[Any]) -> list[Any]:
            with translated(f"BatchWriteItem {self._table}"):
                answer: Any = self._client.batch_write_item(RequestItems={self._table: left})
            unwritten: list[Any] = answer.get("UnprocessedItems", {}).get(self._table, [])
            return unwritten

        requests = [{"PutRequest": {"Item": item}} for item in items]
        self._until_none_left(call, requests, f"BatchWriteItem {self._table}: items unwritten")

    def _until_none_left(
        self, call: Callable[[list[Any]], list[Any]], everything: list[Any], problem: str
    ) -> None:
        left = everything

        def round_of_calls() -> bool:
            nonlocal left
            left = call(left)
            return bool(left)

        try:
            self._retrying(round_of_calls)
        except RetryError as err:
            raise RetryableError(f"{problem} after {_ATTEMPTS} attempts: {len(left)}") from err


def chunked(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield `values` in lists of `size`, the last one shorter."""
    left = iter(values)
    while chunk := list(islice(left, size)):
        yield chunk
