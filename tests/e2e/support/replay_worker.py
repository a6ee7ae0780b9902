"""The worker of replays in the test's own process, on a deployment's table, bucket and queue."""

from concurrent.futures import ThreadPoolExecutor

from aws_lambda_powertools import Logger
from pipeline import Pipeline

from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsBatches, SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.replay.operations import Operations
from millrace.replay.record import Replay
from millrace_testing.crash.clients import clients_on
from millrace_testing.crash.wire import Wire
from replay.adapters import SideBySide
from replay.domain import Bounds, Signs
from replay.service import Worker


class NoTime:
    """`replay.ports.Stopwatch` that stands: pacing is another test's."""

    def elapsed_s(self) -> float:
        """Return seconds since some fixed moment."""
        return 0.0

    def wait(self, seconds: float) -> None:
        """Do not wait."""


class NobodyElse:
    """`replay.ports.Surroundings` in which nothing speaks for sending less."""

    def signs(self, replay: Replay) -> Signs:
        """Return nothing."""
        return Signs()


def worker_on(pipeline: Pipeline, work_url: str, wire: Wire | None = None) -> Worker:
    """Return a worker as one process has it; it wakes itself through `work_url`."""
    dynamodb, s3, sqs = clients_on(
        pipeline.deployed.engine.endpoint, "dynamodb", "s3", "sqs", wire=wire
    )
    outputs, clock = pipeline.outputs, SystemClock()
    replays, wake = DynamoReplays(dynamodb, outputs["tables"]["replays"]), SqsQueue(sqs, work_url)
    queue_url, one_thread = outputs["queue_urls"]["replay"], ThreadPoolExecutor(1)
    return Worker(
        ledger=replays,
        objects=S3Objects(s3, outputs["data_bucket"]),
        destination=lambda replay: SideBySide(SqsBatches(sqs, replay.queue_url), one_thread),
        surroundings=NobodyElse(),
        wake=wake,
        operations=Operations(replays, wake, queue_url, clock),
        clock=clock,
        stopwatch=NoTime(),
        bounds=Bounds(60, 100_000),
        bucket=outputs["data_bucket"],
        look_again_s=0,
        logger=Logger("replay-test", level="CRITICAL"),
    )
