"""Counts what a client's reads take, whichever adapter makes them."""

from typing import TYPE_CHECKING, Any

from millrace.read_cost import ReadCost

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_s3 import S3Client

_READS = ("GetItem", "BatchGetItem", "Query")


def meter_tables(client: "DynamoDBClient", cost: ReadCost) -> None:
    """Have every read of `client` tell its capacity, and add it to `cost`.

    botocore's events reach all adapters that share the client:
    https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
    """

    def ask(params: dict[str, Any], **_: object) -> None:
        params.setdefault("ReturnConsumedCapacity", "TOTAL")

    def count(parsed: dict[str, Any], model: Any, **_: object) -> None:  # noqa: ANN401 - botocore's
        cost.add(parsed)
        if model.name == "Query" and "Items" in parsed:
            cost.queries += 1

    for operation in _READS:
        client.meta.events.register(f"provide-client-params.dynamodb.{operation}", ask)
        client.meta.events.register(f"after-call.dynamodb.{operation}", count)


def meter_objects(client: "S3Client", cost: ReadCost) -> None:
    """Add every object that `client` reads to `cost`."""

    def count(**_: object) -> None:
        cost.objects += 1

    client.meta.events.register("after-call.s3.GetObject", count)
