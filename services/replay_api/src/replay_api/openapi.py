"""The OpenAPI 3.1 document of replays, made of the models: `python -m replay_api.openapi`.

Checked in as docs/openapi/replay.json; a test fails when the two differ.
"""

import sys
from typing import Any

from millrace.openapi import (
    ALWAYS,
    answer,
    document_of,
    not_found,
    path_id,
    problem,
    rendered,
    request_body,
    schemas_of,
)
from millrace.problems import Problem
from replay_api.answers import ReplayAnswer, ReplayList, Started, StatusAnswer
from replay_api.domain.cursors import MAX_CURSOR_CHARACTERS
from replay_api.handler import DEFAULT_PAGE, MAX_PAGE
from replay_api.requests import MAX_BODY_BYTES, MoveRequest, ReplayRequest

VERSION = "1.0.0"
_EXAMPLE = {
    "entity_id": "user_123",
    "start": "2025-12-28T00:00:00Z",
    "end": "2025-12-29T00:00:00Z",
    "rate": 500,
    "reason": "checking the new definitions",
}
_DESCRIPTION = f"""\
Runs a slice of history again, into a version of its own: live values and the archive stay as they
are.

**POST /replay is plan and apply in one.** The events that the index names at that moment are
selected, their messages are stored as a plan, and the plan is started. It runs in the pipeline;
202 means started, and `GET /replay/{{id}}` says how far it is.

**Sending again starts another replay**, under another version: after an answer that never came look
at `GET /replays` first. Each version is whole by itself, so one too many does no harm; cancel it.

**Bounds have an offset**, and the window is half-open: `start <= event time < end`.

**Limits.** More events than `limit` are refused, never cut. Planning must end within the request,
so the deployment bounds `limit`; beyond that use the command `millrace replay plan`. A body has
{MAX_BODY_BYTES} bytes at most.

**Who** asks is the ARN that IAM proved; it is kept in the audit together with `reason`.
"""
_MOVES = {
    "pause": "Stop sending; what is sent already is processed",
    "resume": "Go on from the last checkpoint",
    "cancel": "End a replay for good; messages of it that still wait have no effect",
}


def document() -> dict[str, Any]:
    """Return the document."""
    return document_of(
        title="replay",
        version=VERSION,
        description=_DESCRIPTION,
        paths={
            "/replay": {"post": _start()},
            "/replays": {"get": _list()},
            "/replay/{id}": {"get": _status(), "parameters": [_ID]},
            **{
                f"/replay/{{id}}/{name}": {"post": _move(name), "parameters": [_ID]}
                for name in _MOVES
            },
        },
        schemas=_schemas(),
    )


_ID = path_id("id", "`replay_id` of the replay.")


def _start() -> dict[str, Any]:
    started = answer("Started.", Started)
    started["headers"] = {
        "Location": {"description": "`/replay/{id}`.", "schema": {"type": "string"}}
    }
    return {
        "operationId": "startReplay",
        "summary": "Plan a replay and start it",
        "requestBody": request_body(ReplayRequest, _EXAMPLE),
        "responses": {
            "202": started,
            "400": problem("Not JSON, or no object."),
            "413": problem("The body is too large."),
            "422": problem(
                "It cannot be meant (`errors` names each field), selects more than its `limit`, or "
                "is more than can be planned within a request. Nothing was started."
            ),
            **ALWAYS,
        },
    }


def _list() -> dict[str, Any]:
    return {
        "operationId": "listReplays",
        "summary": "List the replays, newest first",
        "parameters": [
            {
                "name": "limit",
                "in": "query",
                "required": False,
                "schema": {
                    "type": "integer",
                    "minimum": 1,
                    "maximum": MAX_PAGE,
                    "default": DEFAULT_PAGE,
                },
                "description": "Replays a page at most.",
            },
            {
                "name": "cursor",
                "in": "query",
                "required": False,
                "schema": {"type": "string", "maxLength": MAX_CURSOR_CHARACTERS},
                "description": "`next_cursor` of the page before, as it was.",
            },
        ],
        "responses": {
            "200": answer("A page of them.", ReplayList),
            "400": problem("`limit` or `cursor` is none."),
            **ALWAYS,
        },
    }


def _status() -> dict[str, Any]:
    return {
        "operationId": "getReplay",
        "summary": "Say where a replay stands, what it skipped and why, and who did what to it",
        "responses": {
            "200": answer("Where it stands.", StatusAnswer),
            "404": not_found("There is none of that id."),
            **ALWAYS,
        },
    }


def _move(name: str) -> dict[str, Any]:
    return {
        "operationId": f"{name}Replay",
        "summary": _MOVES[name],
        "requestBody": request_body(MoveRequest, {"reason": "live traffic comes first tonight"}),
        "responses": {
            "200": answer("Done.", ReplayAnswer),
            "400": problem("Not JSON, or no object."),
            "404": not_found("There is none of that id."),
            "409": problem("Its state does not allow it; `detail` says which do."),
            "413": problem("The body is too large."),
            "422": problem("The reason is missing or blank."),
            **ALWAYS,
        },
    }


def _schemas() -> dict[str, Any]:
    return schemas_of(
        read=(ReplayRequest, MoveRequest), written=(Started, StatusAnswer, ReplayList, Problem)
    )


if __name__ == "__main__":
    sys.stdout.write(rendered(document()))
