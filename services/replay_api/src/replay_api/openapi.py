"""The OpenAPI 3.1 document of replays, made of the models: `python -m replay_api.openapi`.

Checked in as docs/openapi/replay.json; a test fails when the two differ.
"""

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from millrace.http_api import PROBLEM_JSON
from millrace.problems import Problem
from replay_api.answers import ReplayAnswer, ReplayList, Started, StatusAnswer
from replay_api.domain.cursors import MAX_CURSOR_CHARACTERS
from replay_api.handler import DEFAULT_PAGE, MAX_PAGE
from replay_api.requests import MAX_BODY_BYTES, MoveRequest, ReplayRequest

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
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
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Millrace replay",
            "version": VERSION,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [
            {
                "url": "{api_endpoint}",
                "description": "Terraform's output api_endpoint",
                "variables": {"api_endpoint": {"default": "https://example.com"}},
            }
        ],
        "security": [{"sigv4": []}],
        "paths": {
            "/replay": {"post": _start()},
            "/replays": {"get": _list()},
            "/replay/{id}": {"get": _status(), "parameters": [_ID]},
            **{
                f"/replay/{{id}}/{name}": {"post": _move(name), "parameters": [_ID]}
                for name in _MOVES
            },
        },
        "components": {"schemas": _schemas(), "securitySchemes": {"sigv4": _SIGV4}},
    }


_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "`replay_id` of the replay.",
}
_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4 for the service execute-api; the caller needs "
    "execute-api:Invoke on the route.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def _start() -> dict[str, Any]:
    started = _json("Started.", Started)
    started["headers"] = {
        "Location": {"description": "`/replay/{id}`.", "schema": {"type": "string"}}
    }
    return {
        "operationId": "startReplay",
        "summary": "Plan a replay and start it",
        "requestBody": _takes(ReplayRequest, _EXAMPLE),
        "responses": {
            "202": started,
            "400": _problem("Not JSON, or no object."),
            "413": _problem("The body is too large."),
            "422": _problem(
                "It cannot be meant (`errors` names each field), selects more than its `limit`, or "
                "is more than can be planned within a request. Nothing was started."
            ),
            **_ALWAYS,
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
            "200": _json("A page of them.", ReplayList),
            "400": _problem("`limit` or `cursor` is none."),
            **_ALWAYS,
        },
    }


def _status() -> dict[str, Any]:
    return {
        "operationId": "getReplay",
        "summary": "Say where a replay stands, what it skipped and why, and who did what to it",
        "responses": {
            "200": _json("Where it stands.", StatusAnswer),
            "404": _problem("There is none of that id."),
            **_ALWAYS,
        },
    }


def _move(name: str) -> dict[str, Any]:
    return {
        "operationId": f"{name}Replay",
        "summary": _MOVES[name],
        "requestBody": _takes(MoveRequest, {"reason": "live traffic comes first tonight"}),
        "responses": {
            "200": _json("Done.", ReplayAnswer),
            "400": _problem("Not JSON, or no object."),
            "404": _problem("There is none of that id."),
            "409": _problem("Its state does not allow it; `detail` says which do."),
            "413": _problem("The body is too large."),
            "422": _problem("The reason is missing or blank."),
            **_ALWAYS,
        },
    }


def _takes(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {
        "required": True,
        "content": {"application/json": {"schema": schema, "example": example}},
    }


def _json(description: str, model: type[BaseModel]) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model=model.__name__)}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _problem(description: str) -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="Problem")}
    return {"description": description, "content": {PROBLEM_JSON: {"schema": schema}}}


def _gateways(description: str) -> dict[str, Any]:
    schema = {"type": "object", "properties": {"message": {"type": "string"}}}
    return {
        "description": f"{description} (The gateway's own answer.)",
        "content": {"application/json": {"schema": schema}},
    }


_UNAVAILABLE = _problem("Something that this needs is busy or away; `Retry-After` says when.")
_ALWAYS = {
    "403": _gateways("The signature is missing or wrong, or the caller has no right."),
    "429": _gateways("More requests than the API takes; send again later."),
    "500": _problem("The deployment is faulty."),
    "503": _UNAVAILABLE
    | {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}},
}


def _schemas() -> dict[str, Any]:
    # Requests as they are read, answers as they are written.
    _, read = models_json_schema(
        [(ReplayRequest, "validation"), (MoveRequest, "validation")], ref_template=_REF
    )
    _, written = models_json_schema(
        [(model, "serialization") for model in (Started, StatusAnswer, ReplayList, Problem)],
        ref_template=_REF,
    )
    return {**read["$defs"], **written["$defs"]}


def rendered() -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
