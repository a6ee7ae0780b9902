"""The checked-in OpenAPI document is valid and is what the handler serves."""

from datetime import timedelta
from pathlib import Path

import pytest

from investigate.handler import ROUTES
from investigate.openapi import document
from millrace.investigate.cockpit.findings import Check, Finding, Severity, logs
from millrace.investigate.unfinished import LastOfShard
from millrace.times import format_ms
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.contracts.openapi import DocumentContract, schema_of

ARRIVED = {
    "from_": format_ms(ARRIVAL - timedelta(hours=1)),
    "to": format_ms(ARRIVAL + timedelta(hours=1)),
}
ENTITY = "GET /entities/{path+}"


class TestDocument(DocumentContract):
    """See the contract."""

    document = document()
    checked_in = Path(__file__).parents[3] / "docs/openapi/investigate.json"


def schema(name):
    return schema_of(document(), name)


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
    finding = Finding(Severity.ERROR, "2 wait", 2, logs("archive"), since=world.clock.now())
    world.checks = [Check("stages", "2 commits", (finding,))]
    world.unfinished.last = [LastOfShard(SHARD, world.commit.head, 0)]
    schema(name).validate(send(*asked, **query)[1])
