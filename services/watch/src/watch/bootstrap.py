"""Wires watch to AWS, once per cold start."""

from datetime import timedelta

from aws_lambda_powertools import Logger

from millrace.aws.clients import dynamodb_client, kinesis_client, s3_client, sqs_client
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.clock import SystemClock
from watch.adapters import KinesisStream
from watch.noting import NoteTaking
from watch.service import Watch
from watch.settings import WatchSettings


def build_watch(settings: WatchSettings, logger: Logger) -> Watch:
    """Return the use case on the resources that `settings` names."""
    return Watch(
        ledger=DynamoLedger(dynamodb_client(), settings.commits_table),
        discards=DynamoDiscards(dynamodb_client(), settings.commits_table),
        references=SqsQueue(sqs_client(), settings.enrich_queue_url),
        stream=KinesisStream(kinesis_client(), settings.stream_arn),
        clock=SystemClock(),
        overdue_after=timedelta(seconds=settings.overdue_after_s),
        incarnation=settings.stream_incarnation,
        logger=logger,
    )


def build_noting(settings: WatchSettings, logger: Logger) -> NoteTaking:
    """Return what keeps discarded batches in the ledger."""
    return NoteTaking(
        objects=S3Objects(s3_client(), settings.data_bucket),
        discards=DynamoDiscards(dynamodb_client(), settings.commits_table),
        incarnation=settings.stream_incarnation,
        logger=logger,
    )
