"""The cockpit of the deployed pipeline: something is broken, it is found, and its command helps."""

import json
import shlex
from datetime import UTC, datetime, timedelta

import pytest

from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DEADLINE_S = 120
POISON = "cockpit: no reference"


def findings(pipeline, check):
    return [each for each in pipeline.cockpit()["findings"] if each["check"] == check]


def run(pipeline, command):
    """Run a finding's command as it was copied."""
    program, *arguments = shlex.split(command)
    assert program == "millrace"
    return pipeline.millrace(*arguments)


def test_a_dead_letter_is_found_and_its_command_shows_it(pipeline):
    """Which queue, how many, since when and why; nothing is found once it is put away."""
    sqs, url = pipeline.deployed.client("sqs"), pipeline.outputs["dlq_urls"]["archive"]
    sqs.send_message(QueueUrl=url, MessageBody=POISON)
    (finding,) = [
        each for each in findings(pipeline, "dead_letters") if "of archive" in each["what"]
    ]
    assert (finding["severity"], finding["number"] >= 1) == ("error", True)
    assert datetime.fromisoformat(finding["since"]) > datetime.now(UTC) - timedelta(days=1)
    assert "looked at" in finding["why"]
    assert POISON in run(pipeline, f"{finding['look']} --json")
    assert shlex.split(finding["fix"])[:4] == ["millrace", "dlq", "redrive", "archive"]
    _take_back(sqs, url)
    assert not [each for each in findings(pipeline, "dead_letters") if "archive" in each["what"]]


def _take_back(sqs, url):
    """Delete the message of this test alone, and give back what else there is."""

    def taken():
        for each in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
            mine = each["Body"] == POISON
            if mine:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
                return True
            sqs.change_message_visibility(
                QueueUrl=url, ReceiptHandle=each["ReceiptHandle"], VisibilityTimeout=0
            )
        return False

    wait_until(taken, DEADLINE_S, 0.2)


def test_the_cockpit_says_what_it_looked_at_and_what_that_took(pipeline):
    """Every check, and read units: a look is bounded, however long the history."""
    status = json.loads(pipeline.millrace("status", "--json", "--since", "1h", exit_codes=(0, 3)))
    assert len({each["check"] for each in status["checks"]}) == 11
    assert all(each["looked_at"] for each in status["checks"])
    assert status["window"]["complete"]
    assert status["read"]["read_units"] > 0
