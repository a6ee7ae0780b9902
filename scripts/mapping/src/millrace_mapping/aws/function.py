"""A Lambda function, invoked as its event source mapping does."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from millrace_mapping.core.outcome import Answer
from millrace_mapping.ports import NotInvoked

_LONGEST_REASON = 500


class LambdaFunction:
    """`millrace_mapping.ports.Function`."""

    def __init__(self, client: Any, function_arn: str) -> None:  # noqa: ANN401 - a boto3 client
        """Invoke the function with Lambda's own rights."""
        self._client = client
        self._arn = function_arn

    def invoke(self, payload: bytes) -> Answer:
        """Return its answer, an error included. Raises: NotInvoked."""
        try:
            response = self._client.invoke(FunctionName=self._arn, Payload=payload)
            body = response["Payload"].read()
        except (ClientError, BotoCoreError) as err:
            raise NotInvoked(str(err)) from err
        request_id = response["ResponseMetadata"].get("RequestId", "")
        error = _error(body) if "FunctionError" in response else None
        return Answer(body, error, request_id)


def _error(body: bytes) -> str:
    """Return type and message of a function's error; its trace is in its log."""
    try:
        error = json.loads(body)
        return f"{error.get('errorType')}: {error.get('errorMessage')}"[:_LONGEST_REASON]
    except (ValueError, AttributeError):
        return "unreadable error"
