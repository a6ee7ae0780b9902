"""The tables' keys, for tests that make them on moto; Terraform's are in modules/pipeline."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def _schema(**key_types: str) -> dict[str, Any]:
    roles = ("HASH", "RANGE")
    return {
        "AttributeDefinitions": [
            {"AttributeName": name, "AttributeType": kind} for name, kind in key_types.items()
        ],
        "KeySchema": [
            {"AttributeName": name, "KeyType": role}
            for name, role in zip(key_types, roles, strict=False)
        ],
        "BillingMode": "PAY_PER_REQUEST",
    }


GATE: Mapping[str, Any] = _schema(id="B")
EVENT_INDEX: Mapping[str, Any] = _schema(PK="S", SK="S")
AGGREGATES: Mapping[str, Any] = {
    **_schema(PK="S", SK="S"),
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"} for name in ("PK", "SK", "replay_version")
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_version",
            "KeySchema": [
                {"AttributeName": "replay_version", "KeyType": "HASH"},
                {"AttributeName": "PK", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
MARKERS: Mapping[str, Any] = _schema(PK="S", SK="S")
ASSIGNMENTS: Mapping[str, Any] = _schema(entity_id="S")
EXPERIMENTS: Mapping[str, Any] = _schema(experiment_id="S")
MANIFESTS: Mapping[str, Any] = _schema(hour="S", object_key="S")
REPLAYS: Mapping[str, Any] = _schema(PK="S", SK="S")
NOTES: Mapping[str, Any] = _schema(message="S")
AUDIT: Mapping[str, Any] = _schema(month="S", entry="S")
COMMITS: Mapping[str, Any] = {
    **_schema(shard="S", seq="S"),
    "AttributeDefinitions": [
        {"AttributeName": name, "AttributeType": "S"}
        for name in ("shard", "seq", "unfinished", "committed_at")
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "unfinished",
            "KeySchema": [
                {"AttributeName": "unfinished", "KeyType": "HASH"},
                {"AttributeName": "committed_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}


def create_table(client: "DynamoDBClient", name: str, schema: Mapping[str, Any]) -> None:
    """Create a table with one of the schemas above."""
    client.create_table(TableName=name, **schema)
