"""The OpenAPI 3.1 document of dead letters, made of the models: `python -m operator_api.openapi`.

Checked in as docs/openapi/operator.json; a test fails when the two differ.
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
    query_parameters,
    rendered,
    request_body,
    schemas_of,
)
from millrace.problems import Problem
from operator_api.answers import LookAnswer, QueueList, RedriveAnswer
from operator_api.requests import MAX_BODY_BYTES, LookQuery, RedriveRequest
from operator_api.service import LOOK_AT_MOST

VERSION = "1.0.0"
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
    return document_of(
        title="operators",
        version=VERSION,
        description=_DESCRIPTION,
        paths={
            "/dlq": {"get": _list()},
            "/dlq/{queue}": {"get": _look(), "parameters": [_QUEUE]},
            "/dlq/{queue}/redrive": {"post": _redrive(), "parameters": [_QUEUE]},
        },
        schemas=_schemas(),
    )


_QUEUE = path_id("queue", "`queue` as `GET /dlq` lists it: `aggregate`.")


def _list() -> dict[str, Any]:
    return {
        "operationId": "listDeadLetterQueues",
        "summary": "Count the dead letters of each queue; none is received",
        "responses": {"200": answer("The queues.", QueueList), **ALWAYS},
    }


def _look() -> dict[str, Any]:
    return {
        "operationId": "lookAtDeadLetters",
        "summary": "Group a queue's dead letters by error, and show the first of them",
        "parameters": query_parameters(LookQuery),
        "responses": {
            "200": answer("What is there.", LookAnswer),
            "400": problem("A parameter is none; `errors` names it."),
            "404": not_found("There is no such queue."),
            **ALWAYS,
        },
    }


def _redrive() -> dict[str, Any]:
    return {
        "operationId": "redriveDeadLetters",
        "summary": "Send dead letters back, canaries first, as many as fit into the request",
        "requestBody": request_body(RedriveRequest, _EXAMPLE),
        "responses": {
            "200": answer("What was done, and what is left.", RedriveAnswer),
            "400": problem("Not JSON, or no object."),
            "404": not_found("There is no such queue."),
            "413": problem("The body is too large."),
            "422": problem("It cannot be meant; `errors` names each field. Nothing was sent."),
            **ALWAYS,
        },
    }


def _schemas() -> dict[str, Any]:
    return schemas_of(
        read=(RedriveRequest,), written=(QueueList, LookAnswer, RedriveAnswer, Problem)
    )


if __name__ == "__main__":
    sys.stdout.write(rendered(document()))
