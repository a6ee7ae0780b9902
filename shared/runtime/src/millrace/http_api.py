"""API Gateway's shapes (payload format 2.0): who asks, what was sent, and the response.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import binascii
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from millrace.problems import Problem

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"

Event = Mapping[str, Any]


class UnreadableBody(ValueError):
    """A body that is not what its encoding says."""


def caller_of(event: Event) -> str | None:
    """Return the ARN of the caller, which IAM has proved; None if the gateway named none.

    It always does on a route with IAM authorization.
    """
    authorizer = event["requestContext"].get("authorizer") or {}
    who = (authorizer.get("iam") or {}).get("userArn")
    return str(who) if who else None


def body_of(event: Event) -> bytes:
    """Return the bytes of the body.

    Raises:
        UnreadableBody: it cannot be decoded.
    """
    body = event.get("body") or ""
    try:
        return b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode()
    except (binascii.Error, UnicodeEncodeError) as err:
        raise UnreadableBody(str(err)) from err


def response_of(status: int, body: BaseModel, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the response with a model as its JSON."""
    content_type = PROBLEM_JSON if isinstance(body, Problem) else JSON
    return response_of_text(
        status, body.model_dump_json(), {"content-type": content_type, **headers}
    )


def response_of_text(status: int, body: str, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the response with a text that is JSON already."""
    return {
        "statusCode": int(status),
        "headers": {"content-type": JSON, **headers},
        "body": body,
        "isBase64Encoded": False,
    }
