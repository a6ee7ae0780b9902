"""The checked-in OpenAPI document is valid and is what the models say."""

from pathlib import Path

import pytest

from millrace_testing.contracts.openapi import DocumentContract, routes_of, schema_of
from operator_api.handler import _ROUTES
from operator_api.openapi import document

BODY = {"reason": "the right is back"}


class TestDocument(DocumentContract):
    """See the contract."""

    document = document()
    checked_in = Path(__file__).parents[3] / "docs/openapi/operator.json"


def schema(name):
    return schema_of(document(), name)


def test_it_has_every_route():
    """Those that the handler serves, and no other."""
    assert routes_of(document()) == set(_ROUTES)


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"limit": 5, "error": "x", "force": True}, True),
        ({"limit": 0}, False),
        ({"older_than": "2h"}, False),
        ({"reason": ""}, False),
    ],
)
def test_its_request_is_the_models(change, valid):
    """What the model takes the schema takes."""
    assert schema("RedriveRequest").is_valid(BODY | change) is valid


def test_answers_are_as_it_says(send, consumer):
    """Each kind of answer validates against its own schema."""
    consumer.fail('{"commit_id": "commit-1"}', "UpdateItem: not allowed")
    schema("QueueList").validate(send("GET /dlq")[1])
    schema("LookAnswer").validate(send("GET /dlq/{queue}")[1])
    redrive = "POST /dlq/{queue}/redrive"
    schema("RedriveAnswer").validate(send(redrive, BODY | {"dry_run": True})[1])
    schema("RedriveAnswer").validate(send(redrive, BODY)[1])
    schema("Problem").validate(send(redrive, {})[1])
