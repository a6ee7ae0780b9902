"""Wires archive to AWS, once per cold start."""

from uuid import uuid4

from archive.adapters import DynamoDirtyHours, DynamoManifests, S3StampedObjects
from archive.service import Archive
from archive.settings import ArchiveSettings
from millrace.aws.clients import dynamodb_client, s3_client
from millrace.aws.ledger import DynamoLedger
from millrace.clock import SystemClock


def build_archive(settings: ArchiveSettings) -> Archive:
    """Return the use case on the resources that `settings` names."""
    dynamodb = dynamodb_client()
    return Archive(
        ledger=DynamoLedger(dynamodb, settings.commits_table),
        objects=S3StampedObjects(s3_client(), settings.data_bucket),
        manifests=DynamoManifests(dynamodb, settings.manifests_table),
        dirty_hours=DynamoDirtyHours(
            dynamodb, settings.manifests_table, new_token=lambda: uuid4().hex
        ),
        clock=SystemClock(),
    )
