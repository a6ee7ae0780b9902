"""Wires ingest to AWS, once per cold start."""

from datetime import timedelta
from uuid import uuid4

from aws_lambda_powertools import Logger

from ingest.adapters.gate import DynamoGate
from ingest.adapters.stream import KinesisRange
from ingest.repairs import Repairs
from ingest.service import Ingest
from ingest.settings import IngestSettings
from millrace.aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.clock import SystemClock
from millrace.event import EventLimits


def build_ingest(settings: IngestSettings, logger: Logger) -> Ingest:
    """Return the use case on the resources that `settings` names."""
    dynamodb = dynamodb_client()
    return Ingest(
        checkpoints=DynamoLedger(dynamodb, settings.commits_table),
        abandonments=DynamoDiscards(dynamodb, settings.commits_table),
        gate=DynamoGate(dynamodb, settings.gate_table, timedelta(days=settings.gate_ttl_days)),
        objects=S3Objects(s3_client(), settings.data_bucket),
        references=SqsQueue(sqs_client(), settings.enrich_queue_url),
        clock=SystemClock(),
        limits=EventLimits(
            max_future_skew=timedelta(seconds=settings.max_future_skew_s),
            max_event_bytes=settings.max_event_bytes,
        ),
        allowed_lateness=timedelta(seconds=settings.allowed_lateness_s),
        logger=logger,
        new_unique=lambda: uuid4().hex,
    )


def build_repairs(settings: IngestSettings, ingest: Ingest) -> Repairs:
    """Return the repair of discarded batches, done by `ingest`."""
    discards = DynamoDiscards(dynamodb_client(), settings.commits_table)
    return Repairs(
        ingest=ingest,
        discards=discards,
        abandonments=discards,
        payloads=S3Objects(s3_client(), settings.data_bucket),
        stream=KinesisRange(kinesis_client(), settings.stream_arn),
        incarnation=settings.stream_incarnation,
        clock=SystemClock(),
        horizon=timedelta(days=settings.gate_ttl_days),
    )
