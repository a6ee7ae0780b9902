"""What every checked-in OpenAPI document promises."""

import json
from pathlib import Path
from typing import Any, ClassVar

from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from millrace.openapi import rendered


class DocumentContract:
    """Subclass with the document that the models make, and where it is checked in."""

    document: ClassVar[dict[str, Any]]
    checked_in: ClassVar[Path]

    def test_it_has_not_drifted(self) -> None:
        """The remedy: .venv/bin/python -m <the service>.openapi > docs/openapi/<its file>."""
        assert self.checked_in.read_text(encoding="utf-8") == rendered(self.document)

    def test_it_is_valid_openapi(self) -> None:
        """By the OpenAPI 3.1 schema, with every reference resolved."""
        OpenAPIV31SpecValidator(json.loads(self.checked_in.read_text(encoding="utf-8"))).validate()


def schema_of(document: dict[str, Any], name: str) -> Draft202012Validator:
    """Return the validator of one of a document's schemas."""
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document})


def routes_of(document: dict[str, Any]) -> set[str]:
    """Return what the document describes: `GET /replay/{id}`."""
    return {
        f"{method.upper()} {path}"
        for path, item in document["paths"].items()
        for method in item.keys() & {"get", "post", "put", "patch", "delete"}
    }
