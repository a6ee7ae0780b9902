"""Messages that tell of discarded batches: one that fails comes again, and says why."""

from aws_lambda_powertools import Logger

from millrace.dlq.noting import Noting
from millrace.errors import ConfigError
from millrace_testing.builders import ARRIVAL, sqs_event
from millrace_testing.dead_letters import FakeNotes
from millrace_testing.fakes import FixedClock
from millrace_testing.lambda_context import lambda_context
from watch.handler import note


class NoteTaker:
    """Fails at one body."""

    def note(self, body: str) -> int:
        if body == "bad":
            raise ConfigError("PutItem: not allowed")
        return 1


def test_a_notice_that_fails_is_noted_and_stops_no_other():
    """Only it is delivered again; whoever finds it as a dead letter reads why."""
    notes = FakeNotes()
    failures = Noting(Logger("test"), lambda: notes, FixedClock(ARRIVAL))
    answer = note(sqs_event(["good", "bad"]), lambda_context(), NoteTaker(), failures)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "message-1"}]}
    (kept,) = notes.kept.values()
    assert (kept.error, kept.detail) == ("ConfigError", "PutItem: not allowed")
