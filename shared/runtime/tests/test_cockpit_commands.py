"""Steps as lines for a shell, for the deployment that they are about."""

import pytest

from millrace.investigate.cockpit.commands import Commands
from millrace.investigate.cockpit.findings import Step, Tool, logs, millrace

COMMANDS = Commands(
    {"archive": "mr-archive"}, "mr", ("--env", "dev"), "make deploy ENV=dev", with_reason=True
)
REACH = 'eval "$(millrace env --env dev)" && '


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (millrace("dlq", "show", "archive"), "millrace dlq show archive --env dev"),
        (
            millrace("dlq", "redrive", "archive"),
            "millrace dlq redrive archive --reason 'found by status' --env dev",
        ),
        (
            Step(Tool.MAPPING_ON, ("u-1",)),
            f"{REACH}aws lambda update-event-source-mapping --enabled --uuid u-1",
        ),
        (Step(Tool.SCHEDULE_ON, ("mr-watch",)), f"{REACH}aws events enable-rule --name mr-watch"),
        (
            Step(Tool.CONCURRENCY, ("archive",)),
            f"{REACH}aws lambda delete-function-concurrency --function-name mr-archive",
        ),
        (Step(Tool.DEPLOY, ()), "make deploy ENV=dev"),
    ],
)
def test_each_step_is_one_line_to_copy(step, line):
    """With what tells the deployment, and the reason that operators must give there."""
    assert COMMANDS.of(step) == line


def test_a_log_is_read_even_of_a_service_that_is_not_known():
    """Its function is called by the rule that names all of them."""
    assert "/aws/lambda/mr-archive " in COMMANDS.of(logs("archive"))
    assert "/aws/lambda/mr-other " in COMMANDS.of(logs("other"))


def test_without_a_need_no_reason_is_given():
    """On the local engine nobody asks."""
    plain = Commands({}, "mr", with_reason=False)
    assert plain.of(millrace("dlq", "redrive", "archive")) == "millrace dlq redrive archive"
