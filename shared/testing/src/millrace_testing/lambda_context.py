"""A Lambda context as the Python runtime gives it."""

from aws_lambda_powertools.utilities.typing import LambdaContext


class FakeContext(LambdaContext):
    """The fields that handlers read.

    https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
    """

    def __init__(self, remaining_ms: int = 30_000) -> None:
        self._function_name = "function"
        self._memory_limit_in_mb = 128
        self._invoked_function_arn = "arn:aws:lambda:us-east-2:123456789012:function:function"
        self._aws_request_id = "00000000-0000-4000-8000-000000000000"
        # An instance attribute: Powertools declares the method without `self`.
        self.get_remaining_time_in_millis = lambda: remaining_ms  # type: ignore[method-assign]


def lambda_context(remaining_ms: int = 30_000) -> LambdaContext:
    """Return a context of an invocation with so much time left."""
    return FakeContext(remaining_ms)
