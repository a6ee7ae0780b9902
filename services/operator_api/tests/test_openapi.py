"""The checked-in OpenAPI document is valid and is what the models say."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from operator_api.handler import _ROUTES
from operator_api.openapi import document, rendered

CHECKED_IN = Path(__file__).parents[3] / "docs/openapi/operator.json"
BODY = {"reason": "the right is back"}


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document()})


def test_it_has_not_drifted():
    """The remedy: .venv/bin/python -m operator_api.openapi > docs/openapi/operator.json."""
    assert CHECKED_IN.read_text(encoding="utf-8") == rendered()


def test_it_is_valid_openapi():
    """By the OpenAPI 3.1 schema, with every reference resolved."""
    OpenAPIV31SpecValidator(json.loads(CHECKED_IN.read_text(encoding="utf-8"))).validate()


def test_it_has_every_route():
    """Those that the handler serves, and no other."""
    described = {
        f"{method.upper()} {path}"
        for path, item in document()["paths"].items()
        for method in item.keys() & {"get", "post"}
    }
    assert described == set(_ROUTES)


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
