"""What the OpenAPI 3.1 documents of all HTTP APIs share; each is made of its service's models.

https://spec.openapis.org/oas/v3.1.1.html ; schemas come from pydantic, so that they cannot differ
from what is read and written.
"""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from millrace.http_api import JSON, PROBLEM_JSON
from millrace.problems import Problem

_REF = "#/components/schemas/{model}"
_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4 for the service execute-api; the caller needs "
    "execute-api:Invoke on the route.",
    "x-amazon-apigateway-authtype": "awsSigv4",
}


def document_of(
    *, title: str, version: str, description: str, paths: dict[str, Any], schemas: dict[str, Any]
) -> dict[str, Any]:
    """Return the document of one API, every route of which asks for IAM's signature."""
    return {
        "openapi": "3.1.1",
        "info": {
            "title": f"Millrace {title}",
            "version": version,
            "description": description,
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
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"sigv4": _SIGV4}},
    }


def rendered(document: dict[str, Any]) -> str:
    """Return a document as it is checked in."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def reference(name: str) -> dict[str, Any]:
    """Return a reference to a schema of the document."""
    return {"$ref": _REF.format(model=name)}


def schemas_of(
    read: Iterable[type[BaseModel]], written: Iterable[type[BaseModel]]
) -> dict[str, Any]:
    """Return the schemas by name: of requests as they are read, of answers as they are written."""
    both = ((read, "validation"), (written, "serialization"))
    _, schema = models_json_schema(
        [(model, mode) for models, mode in both for model in models],  # type: ignore[misc]
        ref_template=_REF,
    )
    return dict(schema["$defs"])


def path_id(name: str, description: str) -> dict[str, Any]:
    """Return a parameter that is a segment of the path."""
    return {
        "name": name,
        "in": "path",
        "required": True,
        "schema": {"type": "string", "minLength": 1},
        "description": description,
    }


def query_parameters(model: type[BaseModel]) -> list[dict[str, Any]]:
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


def request_body(model: type[BaseModel], example: dict[str, Any]) -> dict[str, Any]:
    """Return a body that is required, as JSON."""
    schema = reference(model.__name__)
    return {"required": True, "content": {JSON: {"schema": schema, "example": example}}}


def answer(description: str, model: type[BaseModel]) -> dict[str, Any]:
    """Return an answer with a model as its JSON."""
    return _response(description, {JSON: reference(model.__name__)})


def problem(description: str, model: type[BaseModel] = Problem) -> dict[str, Any]:
    """Return an answer of problem details (RFC 9457)."""
    return _response(description, {PROBLEM_JSON: reference(model.__name__)})


def gateways(description: str) -> dict[str, Any]:
    """Return an answer that the gateway gives before any function is called."""
    return _response(f"{description} (The gateway's own answer.)", {JSON: _MESSAGE})


def not_found(description: str) -> dict[str, Any]:
    """Return what a path with an id answers: there is none of that id, or the path is none."""
    both = f"{description} The gateway answers itself where a path cannot be routed."
    return _response(both, {PROBLEM_JSON: reference(Problem.__name__), JSON: _MESSAGE})


def unavailable(description: str, model: type[BaseModel] = Problem) -> dict[str, Any]:
    """Return an answer that says when to ask again."""
    seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}}
    return {**problem(description, model), "headers": {"Retry-After": seconds}}


def _response(description: str, content: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {
        "description": description,
        "content": {kind: {"schema": schema} for kind, schema in content.items()},
    }


_MESSAGE = {"type": "object", "properties": {"message": {"type": "string"}}}

GATEWAY_REFUSALS = {
    "403": gateways("The signature is missing or wrong, or the caller has no right."),
    "429": gateways("More requests than the API takes; send again later."),
}
"""What the gateway may answer to any request."""

ALWAYS = {
    **GATEWAY_REFUSALS,
    "500": problem("The deployment is faulty."),
    "503": unavailable("Something that this needs is busy or away; `Retry-After` says when."),
}
"""What any request may be answered."""
