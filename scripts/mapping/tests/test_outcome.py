"""Reading a function's answer; the table is AWS's own.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace_mapping.core.outcome import Answer, Outcome, read_outcome

SEQUENCES = ["100", "101", "102", "103"]


def outcome(response: Any, *, reports: bool = True) -> Outcome:
    payload = response if isinstance(response, bytes) else json.dumps(response).encode()
    return read_outcome(Answer(payload), SEQUENCES, reports_item_failures=reports)


def failures(*identifiers: Any) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]}


@pytest.mark.parametrize(
    "response", [None, b"", "", [], {}, {"batchItemFailures": []}, {"batchItemFailures": None}]
)
def test_an_answer_without_failures_is_success(response: Any) -> None:
    """Empty and null answers and lists mean that the whole batch is done."""
    assert outcome(response) == Outcome(4)


@pytest.mark.parametrize(
    "response",
    [
        failures(""),
        failures(None),
        failures("999"),
        failures("101", ""),
        failures(101),
        {"batchItemFailures": [{"id": "101"}]},
        {"batchItemFailures": ["101"]},
        {"batchItemFailures": "101"},
        ["101"],
        "done",
        b"not json",
    ],
)
def test_an_identifier_that_cannot_be_read_fails_the_whole_batch(response: Any) -> None:
    """Empty, null, badly keyed and unknown identifiers retry everything: nothing may be lost."""
    found = outcome(response)
    assert found.done == 0
    assert found.reason


def test_the_lowest_reported_sequence_number_wins() -> None:
    """Everything from the lowest reported record on is tried again, whatever the list's order."""
    assert outcome(failures("103", "101")).done == 1


def test_without_the_response_type_the_answer_is_not_looked_at() -> None:
    """A mapping without ReportBatchItemFailures takes any answer for success."""
    assert outcome(failures("100"), reports=False) == Outcome(4)


@pytest.mark.parametrize("reports", [True, False])
def test_a_function_error_fails_the_whole_batch(reports: bool) -> None:
    """An exception or a timeout retries the batch from its start."""
    answer = Answer(b"{}", "Sandbox.Timedout: Task timed out after 3.00 seconds")
    found = read_outcome(answer, SEQUENCES, reports_item_failures=reports)
    assert found == Outcome(0, answer.error, is_function_error=True)


@given(st.sets(st.sampled_from(SEQUENCES), min_size=1))
def test_no_reported_record_counts_as_done(reported: set[str]) -> None:
    """Whatever is reported, the records before the first reported one are done and no other."""
    done = outcome(failures(*reported)).done
    assert SEQUENCES[done] == min(reported)
