"""The OpenAPI 3.1 document of investigating, made of the models: `python -m investigate.openapi`.

Checked in as docs/openapi/investigate.json; a test fails when the two differ.
"""

import json
import sys
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from investigate import answers, requests
from investigate.domain.refusals import RefusalKind
from investigate.problems import PROBLEMS
from millrace.http_api import PROBLEM_JSON
from millrace.problems import Problem

VERSION = "1.0.0"
_REF = "#/components/schemas/{model}"
_DESCRIPTION = f"""\
What happened to an event, an entity or a source: the questions of `millrace event`, `events`,
`gaps`, `lag`, `duplicates`, `late`, `sources` and `aggregates`, with the answers of the commands.

**Every answer is bounded** by `max_pages` and by the request's time. What ended early says so
(`ended_by`) and hands out a `cursor`: the same question with it is answered for the rest, and
answers that follow each other never overlap. A cursor is good for its own question alone.

**Times** have no offset or one; without it they are UTC. `from` is included, `to` is not, and they
are {requests.LONGEST_PERIOD.days:,} days apart at most. In a query `+` means a space: write `%2B`.

**Ids in paths** are percent-encoded (`#` as `%23`, `/` as `%2F`, `%` as `%25`). The gateway cuts a
path at an encoded question mark: such an id, and any that begins with `~`, is spelled as `~` and
the base64url of its UTF-8 bytes.

**It reads, and changes nothing.** What it took to read is in `read`.
"""
_ROUTES: dict[str, tuple[str, str, type[BaseModel], type[BaseModel]]] = {
    "/events/{id}": (
        "getEvent", "Tell an event's life", requests.EventQuery, answers.BiographyAnswer,
    ),
    "/entities/{id}/events": (
        "listEntityEvents", "List an entity's events in order of event time",
        requests.EntityEventsQuery, answers.EntityEventsAnswer,
    ),
    "/entities/{id}/gaps": (
        "findGaps", "Show when an entity was silent against its own rhythm",
        requests.GapsQuery, answers.GapsAnswer,
    ),
    "/lag": (
        "getLag", "Show how late events arrive, and how long each stage takes",
        requests.LagQuery, answers.LagAnswer,
    ),
    "/duplicates": (
        "findDuplicates", "Show which events arrived again",
        requests.ListedQuery, answers.DuplicatesAnswer,
    ),
    "/late": (
        "findLate", "Show which events arrived late, and which closed windows they changed",
        requests.ListedQuery, answers.LateAnswer,
    ),
    "/sources": (
        "rankSources", "Rank the sources by the share of their records that is a problem",
        requests.ArrivalQuery, answers.SourcesAnswer,
    ),
    "/aggregates": (
        "listAggregates", "List the aggregates of a scope",
        requests.AggregatesQuery, answers.AggregatesAnswer,
    ),
    "/status": (
        "getStatus", "Say what is unfinished now", requests.StatusQuery, answers.StatusAnswer,
    ),
}  # fmt: skip


def document() -> dict[str, Any]:
    """Return the document."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": "Millrace investigate",
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
        "paths": {path: _path(path) for path in _ROUTES},
        "components": {"schemas": _schemas(), "securitySchemes": {"sigv4": _SIGV4}},
    }


_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
    "description": "The id as events say it, percent-encoded.",
}
_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4 for the service execute-api; the caller needs "
    "execute-api:Invoke on the route.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def _path(path: str) -> dict[str, Any]:
    operation, summary, query, answer = _ROUTES[path]
    titles = [PROBLEMS.refusals[kind][1] for kind in RefusalKind if _status(kind) == 400]
    get = {
        "operationId": operation,
        "summary": summary,
        "parameters": _parameters(query),
        "responses": {
            "200": _json("The answer.", answer),
            "400": _problem(f"{', or '.join(titles)}; `errors` names each parameter."),
            "404": _problem(PROBLEMS.refusals[RefusalKind.NOT_FOUND][1] + "."),
            **_ALWAYS,
        },
    }
    return {"get": get, "parameters": [_ID]} if "{id}" in path else {"get": get}


def _status(kind: RefusalKind) -> int:
    return PROBLEMS.refusals[kind][0]


def _parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
    """Return the fields of a model as parameters of a query."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": _plain(field, schema),
            "description": field.get("description", ""),
        }
        for name, field in schema["properties"].items()
    ]


def _plain(field: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return a field's schema: no null, which a query cannot say, and nothing referred to."""
    kept = {key: each for key, each in field.items() if key not in {"description", "default"}}
    if field.get("default") is not None:
        kept["default"] = field["default"]
    if "$ref" in kept:
        kept |= schema["$defs"][kept.pop("$ref").rsplit("/", 1)[1]]
    if "anyOf" in kept:
        kept |= next(each for each in kept.pop("anyOf") if each != {"type": "null"})
    return kept


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
    "500": _problem("The deployment is faulty, or its tables disagree."),
    "503": _UNAVAILABLE
    | {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}},
}


def _schemas() -> dict[str, Any]:
    written: list[type[BaseModel]] = [Problem, *(answer for _, _, _, answer in _ROUTES.values())]
    _, schema = models_json_schema(
        [(model, "serialization") for model in written], ref_template=_REF
    )
    defs: dict[str, Any] = schema["$defs"]
    return defs


def rendered() -> str:
    """Return the document as it is checked in."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
