"""The OpenAPI 3.1 document of dead letters, made of the models: `python -m operator_api.openapi`.

Checked in as docs/openapi/operator.json; a test fails when the two differ.
"""

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from millrace.http_api import PROBLEM_JSON
from millrace.problems import Problem
from operator_api.answers import LookAnswer, QueueList, RedriveAnswer
from operator_api.requests import MAX_BODY_BYTES, LookQuery, RedriveRequest
from operator_api.service import LOOK_AT_MOST

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_EXAMPLE = {"error": "AccessDenied", "rate": 200, "reason": "aggregate has its right back"}
_DESCRIPTION = f"""\
Dead letters: what a stage failed at too often, why, and how it goes back to work.

**Looking takes nothing**, but while it looks nobody else receives those messages; so a redrive at
that moment leaves them out. At most {LOOK_AT_MOST:,} messages are looked at.

**POST .../redrive sends as many as fit into the request** and says `call_again` when there are
more. Of each error some messages go first, as canaries; an error that still fails stays where it
is and stops no other (`force` asks none). A message is sent before it is deleted: a request that
was cut off lost nothing, and what is processed twice counts once. So it may always be sent again.
Two at once are harmless, and slow.

**For a whole large queue** use `millrace dlq redrive`, which has SQS move it.

**Who** asks is the ARN that IAM proved; it is kept in the audit together with `reason`. A body has
{MAX_BODY_BYTES} bytes at most.
"""


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Millrace operators",
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
            "/dlq": {"get": _list()},
            "/dlq/{queue}": {"get": _look(), "parameters": [_QUEUE]},
            "/dlq/{queue}/redrive": {"post": _redrive(), "parameters": [_QUEUE]},
        },
        "components": {"schemas": _schemas(), "securitySchemes": {"sigv4": _SIGV4}},
    }


_QUEUE = {
    "name": "queue",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "`queue` as `GET /dlq` lists it: `aggregate`.",
}
_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4 for the service execute-api; the caller needs "
    "execute-api:Invoke on the route.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def _list() -> dict[str, Any]:
    return {
        "operationId": "listDeadLetterQueues",
        "summary": "Count the dead letters of each queue; none is received",
        "responses": {"200": _json("The queues.", QueueList), **_ALWAYS},
    }


def _look() -> dict[str, Any]:
    return {
        "operationId": "lookAtDeadLetters",
        "summary": "Group a queue's dead letters by error, and show the first of them",
        "parameters": _parameters(LookQuery),
        "responses": {
            "200": _json("What is there.", LookAnswer),
            "400": _problem("A parameter is none; `errors` names it."),
            "404": _problem("There is no such queue."),
            **_ALWAYS,
        },
    }


def _redrive() -> dict[str, Any]:
    schema = {"$ref": _REF.format(model="RedriveRequest")}
    return {
        "operationId": "redriveDeadLetters",
        "summary": "Send dead letters back, canaries first, as many as fit into the request",
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schema, "example": _EXAMPLE}},
        },
        "responses": {
            "200": _json("What was done, and what is left.", RedriveAnswer),
            "400": _problem("Not JSON, or no object."),
            "404": _problem("There is no such queue."),
            "413": _problem("The body is too large."),
            "422": _problem("It cannot be meant; `errors` names each field. Nothing was sent."),
            **_ALWAYS,
        },
    }


def _parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the fields of a model as parameters of a query."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": {each: value for each, value in field.items() if each != "description"},
            "description": field["description"],
        }
        for name, field in schema["properties"].items()
    ]


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
    _, read = models_json_schema([(RedriveRequest, "validation")], ref_template=_REF)
    _, written = models_json_schema(
        [(model, "serialization") for model in (QueueList, LookAnswer, RedriveAnswer, Problem)],
        ref_template=_REF,
    )
    return {**read["$defs"], **written["$defs"]}


def rendered() -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
