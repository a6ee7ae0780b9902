"""Wires the operator API to AWS, once per cold start."""

from tenacity.nap import sleep

from millrace.aws.audit import DynamoAudit
from millrace.aws.clients import dynamodb_client, sqs_client
from millrace.aws.dead_letters import DynamoNotes
from millrace.clock import SystemClock
from operator_api.adapters import dead_letter_queues
from operator_api.service import Desk
from operator_api.settings import OperatorApiSettings


def build_desk(settings: OperatorApiSettings) -> Desk:
    """Return the use cases on the resources that `settings` names; no call is made."""
    dynamodb = dynamodb_client()
    return Desk(
        queues=dead_letter_queues(sqs_client(), settings.queue_urls, settings.dead_letter_urls),
        notes=DynamoNotes(dynamodb, settings.notes_table),
        audit=DynamoAudit(dynamodb, settings.audit_table),
        clock=SystemClock(),
        wait=sleep,
    )
