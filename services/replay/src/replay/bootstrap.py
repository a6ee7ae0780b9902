"""Wires replay to AWS, once per cold start."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from aws_lambda_powertools import Logger

from millrace.aws.clients import dynamodb_client, s3_client, sqs_client
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.replay.operations import Operations
from replay.adapters import MonotonicStopwatch, Pipeline, SideBySide
from replay.domain import Bounds
from replay.service import Worker
from replay.settings import ReplaySettings

_THREADS = 8  # 5,000 messages a second as long as a call takes at most 16 ms


def build_worker(settings: ReplaySettings, logger: Logger) -> Worker:
    """Return the use case on the resources that `settings` names."""
    clock = SystemClock()
    replays = DynamoReplays(dynamodb_client(), settings.replays_table)
    sqs = sqs_client()
    queue = SqsBatches(sqs, settings.replay_queue_url)
    wake = SqsQueue(sqs, settings.replay_work_queue_url)
    ledger = DynamoLedger(dynamodb_client(), settings.commits_table)
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="send")
    live_lag = timedelta(seconds=settings.replay_live_lag_s)
    return Worker(
        ledger=replays,
        objects=S3Objects(s3_client(), settings.data_bucket),
        destination=lambda replay: SideBySide(SqsBatches(sqs, replay.queue_url), threads),
        surroundings=Pipeline(ledger, queue, replays, clock, live_lag),
        wake=wake,
        operations=Operations(replays, wake, settings.replay_queue_url, clock),
        clock=clock,
        stopwatch=MonotonicStopwatch(),
        bounds=Bounds(settings.replay_live_lag_s, settings.replay_backlog),
        bucket=settings.data_bucket,
        look_again_s=settings.replay_look_again_s,
        logger=logger,
    )
