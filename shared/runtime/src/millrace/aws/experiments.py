"""The experiments table: `experiment_id` (percent-encoded), every other attribute is metadata."""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, SupportsBytes

from tenacity.nap import sleep as nap

from millrace.assignments import Metadata
from millrace.aws.batches import TableBatches
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.keys import encode_id

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

KEY = "experiment_id"


class DynamoExperiments:
    """Reads and writes experiments by id."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        sleep: Callable[[float], None] = nap,
    ) -> None:
        self._batches = TableBatches(client, table, sleep)

    def metadata_of(self, experiments: Sequence[str]) -> Mapping[str, Metadata]:
        """Return the metadata of each of `experiments` (distinct); unknown ones are left out.

        Raises:
            RetryableError: some keys stayed unread. ConfigError: a missing right or table.
        """
        id_of = {encode_id(each): each for each in experiments}
        found = self._batches.read(to_attributes({KEY: each}) for each in id_of)
        rows = (from_attributes(item) for item in found)
        return {id_of[row.pop(KEY)]: _plain_fields(row) for row in rows}

    def put(self, experiments: Iterable[tuple[str, Metadata]]) -> None:
        """Store experiments (each id once) with their metadata, in place of what there was.

        Raises:
            RetryableError: some stayed unwritten. ConfigError: a missing right or table.
        """
        self._batches.write(
            to_attributes(_storable(metadata) | {KEY: encode_id(experiment_id)})
            for experiment_id, metadata in experiments
        )


def _storable(value: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return a JSON value as DynamoDB takes it: a float by its shortest decimal."""
    match value:
        case float():
            return Decimal(repr(value))
        case list():
            return [_storable(each) for each in value]
        case Mapping():
            return {name: _storable(each) for name, each in value.items()}
        case _:
            return value


def _plain_fields(row: Mapping[str, Any]) -> dict[str, object]:
    return {name: _plain(row[name]) for name in sorted(row)}


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
            return _plain_fields(value)
        case _:
            return value
