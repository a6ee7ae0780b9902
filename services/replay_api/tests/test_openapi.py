"""The checked-in OpenAPI document is valid and is what the models say."""

from pathlib import Path

import pytest

from millrace_testing.contracts.openapi import DocumentContract, routes_of, schema_of
from millrace_testing.replays import REPLAY_ID, audit_entry, replay_record
from replay_api.handler import _ROUTES
from replay_api.openapi import document

BODY = {"start": "2025-12-26T00:00:00Z", "end": "2025-12-30T00:00:00Z", "reason": "to see"}


class TestDocument(DocumentContract):
    """See the contract."""

    document = document()
    checked_in = Path(__file__).parents[3] / "docs/openapi/replay.json"


def schema(name):
    return schema_of(document(), name)


def test_it_has_every_route():
    """Those that the handler serves, and no other."""
    assert routes_of(document()) == {"POST /replay", *_ROUTES}


@pytest.mark.parametrize(
    ("change", "valid"),
    [
        ({}, True),
        ({"limit": 5, "entity_id": "u", "dry_run": True}, True),
        ({"limit": 0}, False),
        ({"entity": "u"}, False),
        ({"reason": ""}, False),
    ],
)
def test_its_request_is_the_models(change, valid):
    """What the model takes the schema takes."""
    assert schema("ReplayRequest").is_valid(BODY | change) is valid


def test_answers_are_as_it_says(send, replays):
    """Each kind of answer validates against its own schema."""
    schema("Started").validate(send("POST /replay", BODY)[1])
    replays.start(replay_record(), audit_entry())
    schema("StatusAnswer").validate(send("GET /replay/{id}", "", replay_id=REPLAY_ID)[1])
    schema("ReplayList").validate(send("GET /replays", "")[1])
    schema("Problem").validate(send("POST /replay", {})[1])
    move = send("POST /replay/{id}/pause", {"reason": "r"}, replay_id=REPLAY_ID)
    schema("ReplayAnswer").validate(move[1])
