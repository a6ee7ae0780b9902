"""Dead-letter queues: how many messages, since when, and what most of them failed with."""

from collections.abc import Sequence

from millrace.dlq.selection import Selection
from millrace.investigate.cockpit.readings import DeadQueue
from millrace_cli.dlq import dead_letters
from millrace_cli.environment import Environment
from millrace_cli.status import QueueDepth

LOOKED_AT = 100
"""Messages of each queue that are looked at: SQS hands out ten a call."""


def read_dead_queues(
    environment: Environment, depths: Sequence[QueueDepth]
) -> tuple[DeadQueue, ...]:
    """Return every dead-letter queue; only into those that are not empty it looks.

    What it looks at it gives back at once. Nothing is looked at where failures are not noted.
    """
    if not any(each.total for each in depths) or environment.outputs.tables.notes is None:
        return tuple(DeadQueue(each.name, each.total, redrivable=False) for each in depths)
    letters = dead_letters(environment)
    found = []
    for depth in depths:
        queue = letters.get(depth.name)
        if queue is None or not depth.total:
            found.append(DeadQueue(depth.name, depth.total, redrivable=queue is not None))
            continue
        look = queue.looking.look(Selection(), LOOKED_AT)
        worst = look.groups[0] if look.groups else None
        found.append(
            DeadQueue(
                depth.name,
                depth.total,
                looked_at=len(look.seen),
                oldest=look.oldest,
                expires_at=look.oldest + look.depth.retention if look.oldest else None,
                commonest_error=worst.label if worst else "",
                commonest=worst.messages if worst else 0,
            )
        )
    return tuple(found)
