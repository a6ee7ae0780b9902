"""The checked-in OpenAPI document is valid and is what the handler serves."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from investigate.handler import ROUTES
from investigate.openapi import document, rendered
from millrace.investigate.unfinished import LastOfShard
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD

CHECKED_IN = Path(__file__).parents[3] / "docs/openapi/investigate.json"
ARRIVED = {
    "from_": format_ms(ARRIVAL - timedelta(hours=1)),
    "to": format_ms(ARRIVAL + timedelta(hours=1)),
}
ENTITY = "GET /entities/{path+}"


def schema(name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document()})


def test_it_has_not_drifted():
    """The remedy: .venv/bin/python -m investigate.openapi > docs/openapi/investigate.json."""
    assert CHECKED_IN.read_text(encoding="utf-8") == rendered()


def test_it_is_valid_openapi():
    """By the OpenAPI 3.1 schema, with every reference resolved."""
    OpenAPIV31SpecValidator(json.loads(CHECKED_IN.read_text(encoding="utf-8"))).validate()


def test_it_has_every_route():
    """Those that the handler serves, and no other; greedy ones stand for what follows them."""
    served = set()
    for path in document()["paths"]:
        if path.startswith("/entities/"):
            served.add(ENTITY)
        else:
            served.add(f"GET {path.replace('{id}', '{id+}')}")
    assert served == set(ROUTES)


@pytest.mark.parametrize(
    ("name", "asked", "query"),
    [
        ("BiographyAnswer", ("GET /events/{id+}", "event-3"), {"source": "web"}),
        ("EntityEventsAnswer", (ENTITY, "user_3/events"), {"from_": "2025-12-28", "limit": 1}),
        ("EntityEventsAnswer", (ENTITY, "user_3/events"), {"from_": "2025-12-28", "payload": 1}),
        ("GapsAnswer", (ENTITY, "user_3/gaps"), {"longer_than": "1m", **ARRIVED}),
        ("LagAnswer", ("GET /lag", None), ARRIVED),
        ("DuplicatesAnswer", ("GET /duplicates", None), ARRIVED),
        ("LateAnswer", ("GET /late", None), ARRIVED),
        ("SourcesAnswer", ("GET /sources", None), ARRIVED),
        ("AggregatesAnswer", ("GET /aggregates", None), {"scope": "TYPE#view"}),
        ("StatusAnswer", ("GET /status", None), {}),
        ("Problem", ("GET /late", None), {"list": "x"}),
    ],
)  # fmt: skip
def test_answers_are_as_it_says(send, world, name, asked, query):
    """Each kind of answer validates against its own schema, which allows no other field."""
    world.unfinished.last = [LastOfShard(SHARD, world.commit.head, 0)]
    schema(name).validate(send(*asked, **query)[1])
