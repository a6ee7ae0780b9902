"""Dead letters of one environment: what their commands work with."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from millrace.aws.dead_letters import DynamoNotes, SqsDeadLetters, SqsMoveTasks, queue_name
from millrace.clock import SystemClock
from millrace.dlq.leaving import Leaving
from millrace.dlq.looking import Look, Looking
from millrace.dlq.moving import MoveFailed, Moving
from millrace.dlq.redrive import Redrive, Redriven
from millrace.times import format_ms
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

_DURATION = re.compile(r"(\d+)(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class QueueLetters:
    """The use cases on the dead letters of one queue."""

    key: str
    """What the command calls the queue: aggregate."""
    letters: SqsDeadLetters
    name: str
    """Name of the dead-letter queue itself."""
    looking: Looking
    leaving: Leaving
    redrive: Redrive
    moving: Moving | None
    """Where SQS moves whole queues by itself: on AWS."""


def dead_letters(environment: Environment) -> dict[str, QueueLetters]:
    """Return the use cases of each queue of a deployment.

    Raises:
        CommandError: its consumers note no failures, because it was deployed by an earlier release.
    """
    outputs, clients, clock = environment.outputs, environment.clients, SystemClock()
    if outputs.tables.notes is None:
        raise CommandError("this deployment notes no failures", "apply Terraform again")
    notes = DynamoNotes(clients.dynamodb(), outputs.tables.notes)
    sqs = clients.sqs()
    _, partition, _, region, account, _ = outputs.stream_arn.split(":", 5)

    def of(key: str, dead_letter_url: str) -> QueueLetters:
        letters = SqsDeadLetters(sqs, outputs.queue_urls[key], dead_letter_url)
        redrive = Redrive(letters, notes, clock, time.sleep)
        name = queue_name(dead_letter_url)
        tasks = SqsMoveTasks(sqs, f"arn:{partition}:sqs:{region}:{account}:{name}")
        return QueueLetters(
            key=key,
            letters=letters,
            name=name,
            looking=Looking(letters, notes, clock),
            leaving=Leaving(letters, notes, clock),
            redrive=redrive,
            moving=Moving(redrive, tasks, time.sleep) if _is_aws(sqs) else None,
        )

    fed = (key for key in outputs.dlq_urls if key in outputs.queue_urls)
    return {key: of(key, outputs.dlq_urls[key]) for key in fed}


def _is_aws(sqs: "SQSClient") -> bool:
    """Tell whether SQS itself answers; the engine, however it is reached, has no move tasks."""
    return ".amazonaws.com" in sqs.meta.endpoint_url


def chosen(
    found: Mapping[str, QueueLetters], keys: Sequence[str], *, everything: bool
) -> list[QueueLetters]:
    """Return the queues that were named, or all.

    Raises:
        CommandError: none is named, both are said, or there is no such queue.
    """
    known = ", ".join(found)
    if bool(keys) == everything:
        raise CommandError(
            "say which queues", f"name some of {known}, or give --all", ExitCode.USAGE
        )
    if unknown := [key for key in keys if key not in found]:
        raise CommandError(f"there is no queue {unknown[0]}", f"there are {known}", ExitCode.USAGE)
    return [found[key] for key in keys] if keys else list(found.values())


def parse_age(text: str | None, option: str) -> timedelta | None:
    """Return the time in `90s`, `15m`, `2h` or `3d`; None for None.

    Raises:
        CommandError: it is none of these.
    """
    if text is None:
        return None
    match = _DURATION.fullmatch(text)
    if match is None:
        raise CommandError(
            f"{option} {text!r} is no time", "write it like 90s, 15m, 2h or 3d", ExitCode.USAGE
        )
    return timedelta(**{_UNITS[match[2]]: int(match[1])})


@contextmanager
def handled(intent: str) -> Iterator[None]:
    """Turn what the use cases raise into a CommandError.

    Raises:
        CommandError: always, in place of an error of Millrace or AWS.
    """
    try:
        with explained(intent):
            yield
    except MoveFailed as err:
        raise CommandError(f"cannot {intent}: {err}", "run it again") from err


def look_fields(queue: QueueLetters, look: Look) -> dict[str, Any]:
    """Return what there is in a queue for JSON; without a look the groups are empty."""
    oldest = look.oldest
    return {
        "queue": queue.key,
        "dead_letter_queue": queue.name,
        "messages": look.depth.total,
        "held": look.depth.held,
        "looked_at": len(look.seen),
        "oldest_sent_at": format_ms(oldest) if oldest else None,
        "oldest_expires_at": format_ms(oldest + look.depth.retention) if oldest else None,
        "groups": [
            {
                "error": each.label,
                "messages": each.messages,
                "oldest_sent_at": format_ms(each.oldest),
            }
            for each in look.groups
        ],
    }


def redriven_fields(queue: QueueLetters, done: Redriven) -> dict[str, Any]:
    """Return what a redrive did for JSON."""
    return {
        "queue": queue.key,
        "dead_letter_queue": queue.name,
        "sent": done.sent,
        "failed_canaries": done.failed_canaries,
        "kept": done.kept.total(),
        "undeleted": done.undeleted,
        "newer": done.newer,
        "ended_early": done.ended_early,
        "left": done.left,
        "groups": [
            {"error": label, "verdict": verdict.value, "kept": done.kept[label]}
            for label, verdict in done.verdicts.items()
        ],
    }
