"""A whole dead-letter queue at once: SQS moves it, once some of it has shown that it may go."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from millrace.dlq.looking import Tell
from millrace.dlq.ports import MoveTask, MoveTasks, TaskState
from millrace.dlq.redrive import Order, Redrive, Redriven
from millrace.errors import MillraceError

SAMPLE = 500
"""Messages that go one by one, canaries first, before SQS moves the rest."""
_POLL_S = 2.0


class MoveFailed(MillraceError):
    """SQS gave up moving; what it moved stays moved."""


@dataclass(frozen=True, slots=True)
class Moving:
    """The use case, where SQS has move tasks: faster than receiving, and not to be killed by us.

    SQS moves everything, so it is only asked to when the order is for everything and no group of
    the sample failed. Errors that the sample did not show go along: those messages fail once more
    and come back.
    """

    redrive: Redrive
    tasks: MoveTasks
    wait: Callable[[float], None]

    def move(self, order: Order, tell: Tell = lambda _: None) -> Redriven:
        """Send everything back and return when it is sent; an interrupted task goes on in SQS.

        Raises:
            MoveFailed: SQS gave up.
            RetryableError, ConfigError: SQS or the notes cannot be reached.
        """
        if task := self.tasks.latest():
            if task.state is TaskState.RUNNING:
                moved = self._moved(0, tell).moved  # an earlier one's, taken up again
                return Redriven(self.redrive.clock.now(), sent=moved)
            if task.state is TaskState.CANCELLING:
                self._moved(0, lambda _: None)  # SQS has one a queue: it has to end first
        sample = replace(order, selection=replace(order.selection, limit=SAMPLE))
        done = self.redrive.redrive(sample, tell)
        if not done.ended_early:  # that was all
            return done
        if done.left:  # a group of the sample failed: its like has to stay
            return self.redrive.redrive(order, tell, done)
        self.tasks.start(order.rate)
        done.sent += self._moved(done.sent, tell).moved
        done.ended_early = False
        return done

    def cancel(self) -> MoveTask | None:
        """End the running task, if there is one, and return it."""
        task = self.tasks.latest()
        if task is None or task.state is not TaskState.RUNNING:
            return None
        self.tasks.cancel(task.handle)
        return task

    def _moved(self, before: int, tell: Tell) -> MoveTask:
        while True:
            task = self.tasks.latest()
            if task is None or task.state is TaskState.FAILED:
                raise MoveFailed(f"SQS gave up moving: {task.failure if task else 'no such task'}")
            tell(before + task.moved)
            if task.state not in {TaskState.RUNNING, TaskState.CANCELLING}:
                return task
            self.wait(_POLL_S)
