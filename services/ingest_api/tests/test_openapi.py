"""The checked-in OpenAPI document is valid and is what the models say."""

from pathlib import Path

import pytest

from ingest_api.openapi import document
from ingest_api.problems import TYPE_PREFIX
from millrace_testing.builders import event_bytes, event_fields
from millrace_testing.contracts.openapi import DocumentContract, schema_of


class TestDocument(DocumentContract):
    """See the contract."""

    document = document()
    checked_in = Path(__file__).parents[3] / "docs/openapi/ingest.json"


def schema(name):
    return schema_of(document(), name)


def test_it_says_what_202_means():
    """Queued is neither stored nor deduplicated: a client must not have to guess."""
    operation = document()["paths"]["/ingest"]["post"]
    assert "neither stored nor deduplicated" in operation["responses"]["202"]["description"]
    assert set(operation["responses"]) == {
        "202", "400", "403", "413", "415", "422", "429", "500", "503",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "valid"),
    [({}, True), ({"more": [1]}, True), ({"entity_id": ""}, False), ({"source": "A b"}, False)],
)
def test_its_event_is_the_contracts(change, valid):
    """What the contract takes the schema takes; unknown keys are kept."""
    assert schema("Event").is_valid(event_fields(1) | change) is valid


def test_answers_are_as_it_says(post, stream):
    """Each kind of answer validates against its own schema."""
    array = f"[{event_bytes(0).decode()},{event_bytes(1).decode()}]"
    schema("Accepted").validate(post(array)[1])
    _, problem = post("[{}]")
    schema("Problem").validate(problem)
    assert problem["type"].startswith(TYPE_PREFIX)
    stream.failing = {0: "InternalFailure"}
    schema("NotAllQueued").validate(post(array)[1])
