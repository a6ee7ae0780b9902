"""What a request does: count dead letters, look at them, send them back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from millrace.audit import AuditLog, Operation, audited
from millrace.clock import Clock
from millrace.dlq.looking import Look, Looking
from millrace.dlq.notes import Notes
from millrace.dlq.ports import DeadLetters, Depth
from millrace.dlq.redrive import Order, Redrive, Redriven
from millrace.problems import refused_field
from operator_api.domain.refusals import RefusalKind
from operator_api.requests import LookQuery, RedriveRequest

LOOK_AT_MOST = 1_000


@dataclass(frozen=True, slots=True)
class Desk:
    """The use cases, over their ports."""

    queues: Mapping[str, DeadLetters]
    notes: Notes
    audit: AuditLog
    clock: Clock
    wait: Callable[[float], None]

    def depths(self) -> dict[str, Depth]:
        """Return how many dead letters each queue has; none is received."""
        return {name: letters.depth() for name, letters in self.queues.items()}

    def look(self, queue: str, query: LookQuery) -> Look:
        """Return what is meant among the first LOOK_AT_MOST dead letters; all are given back.

        Raises:
            Refusal: there is no such queue.
        """
        letters = self._letters(queue)
        return Looking(letters, self.notes, self.clock).look(query.selection(None), LOOK_AT_MOST)

    def would_redrive(self, queue: str, request: RedriveRequest) -> Look:
        """Return what a redrive would send back, canaries allowing; all are given back.

        Raises:
            Refusal: there is no such queue.
        """
        looking = Looking(self._letters(queue), self.notes, self.clock)
        return looking.look(request.selection(request.limit), LOOK_AT_MOST)

    def redrive(
        self, queue: str, request: RedriveRequest, who: str, within_s: float
    ) -> tuple[Redriven, int]:
        """Send back what fits into the time; return what was done, and how many are there now.

        Raises:
            Refusal: there is no such queue.
        """
        letters = self._letters(queue)
        order = Order(
            selection=request.selection(request.limit),
            rate=request.rate,
            force=request.force,
            wait_s=request.wait_s,
            until=self.clock.now() + timedelta(seconds=within_s - request.wait_s),
        )
        how = {"rate": str(request.rate), "force": str(request.force)}
        operation = Operation(
            "dlq.redrive", letters.queue, who, request.reason, order.selection.fields() | how
        )
        with audited(self.audit, self.clock, operation) as tally:
            done = Redrive(letters, self.notes, self.clock, self.wait).redrive(order)
            tally.add("sent", done.sent)
            tally.add("left", done.left)
        return done, letters.depth().total

    def _letters(self, queue: str) -> DeadLetters:
        if queue not in self.queues:
            known = ", ".join(self.queues)
            raise refused_field(
                RefusalKind.NOT_FOUND, "queue", f"there is no queue {queue!r}; there are {known}"
            )
        return self.queues[queue]
