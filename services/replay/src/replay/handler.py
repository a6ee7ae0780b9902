"""Lambda's entry: messages that name a replay in, one turn of the worker for each.

The function is woken by its own queue and wakes itself again, so a replay may last longer than an
invocation: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace.aws.dead_letters import dynamo_notes
from millrace.batch import Batch, BatchHandler, BatchNames, building, noting
from millrace.observability import MetricName, count, service_logger, service_metrics
from millrace.replay.operations import replay_named
from millrace.replay.record import ReplayState
from replay.bootstrap import build_worker
from replay.service import Worker
from replay.settings import ReplaySettings

_RESERVE_S = 8.0  # a call that has just begun, the last checkpoint, and the wake-up

logger = service_logger("replay")
metrics = service_metrics("replay")


def _work(
    worker: Worker, event: Mapping[str, Any], context: LambdaContext, batch: Batch
) -> dict[str, Any]:
    def each(record: SQSRecord) -> None:
        batch.events += _turn(worker, record, context, batch)

    processor = BatchProcessor(EventType.SQS, raise_on_entire_batch_failure=False)
    answer = process_partial_response(
        event=dict(event), record_handler=each, processor=processor, context=context
    )
    batch.failed = len(answer["batchItemFailures"])
    return dict(answer)


def _turn(worker: Worker, record: SQSRecord, context: LambdaContext, batch: Batch) -> int:
    until_s = max(1.0, context.get_remaining_time_in_millis() / 1000 - _RESERVE_S)
    replay_id = ""
    try:
        replay_id = replay_named(record.body)
        turn = worker.turn(replay_id, until_s)
    except Exception as err:
        batch.reasons[record.message_id] = err
        facts = {"replay_id": replay_id, "message_id": record.message_id}
        logger.exception("replay stopped", extra=facts)
        raise
    count(metrics, MetricName.REPLAYS_COMPLETED, int(turn.state is ReplayState.COMPLETED))
    count(metrics, MetricName.REPLAYS_FAILED, int(turn.state is ReplayState.FAILED))
    if turn.state is ReplayState.FAILED:
        count(metrics, MetricName.REPLAY_ERRORS, 1)
    done = {"sent": turn.sent, "state": turn.state.value, "goes_on": turn.goes_on}
    logger.info("replay worked on", extra={"replay_id": replay_id, **done})
    return turn.sent


handler = BatchHandler(
    logger,
    metrics,
    BatchNames(MetricName.REPLAY_ERRORS, events=MetricName.REPLAY_SENT),
    building(logger, ReplaySettings, lambda settings: build_worker(settings, logger)),
    _work,
    notes=noting(ReplaySettings, dynamo_notes),
)
