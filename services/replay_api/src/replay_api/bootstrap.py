"""Wires the replay API to AWS, once per cold start."""

from millrace.aws.clients import dynamodb_client, s3_client, sqs_client
from millrace.aws.index import DynamoIndexPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.queue import SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.replay.operations import Operations
from millrace.replay.planning import Planner
from replay_api.adapters import DeployedMetrics
from replay_api.service import ReplayDesk
from replay_api.settings import ReplayApiSettings


def build_desk(settings: ReplayApiSettings) -> ReplayDesk:
    """Return the use cases on the resources that `settings` names."""
    dynamodb, clock = dynamodb_client(), SystemClock()
    ledger = DynamoReplays(dynamodb, settings.replays_table)
    objects = S3Objects(s3_client(), settings.data_bucket)

    return ReplayDesk(
        planner=Planner(
            pages=DynamoIndexPages(dynamodb, settings.event_index_table),
            commits=DynamoLedger(dynamodb, settings.commits_table),
            objects=objects,
            ledger=ledger,
            clock=clock,
        ),
        operations=Operations(
            ledger=ledger,
            work=SqsQueue(sqs_client(), settings.replay_work_queue_url),
            queue_url=settings.replay_queue_url,
            clock=clock,
        ),
        metrics=DeployedMetrics(objects, settings.metrics_key),
        target_queues=settings.replay_target_queues,
        max_events=settings.replay_api_max_events,
    )
