"""botocore's errors in this project's words; nothing above the adapters knows botocore."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from millrace.errors import ConfigError, RetryableError

# What no retry can mend: rights, names and shapes. Everything else may pass.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
PERMANENT_CODES = frozenset(
    {
        "AccessDenied", "AccessDeniedException", "AuthorizationError", "InvalidAccessKeyId",
        "InvalidClientTokenId", "NoSuchBucket", "QueueDoesNotExist",
        "AWS.SimpleQueueService.NonExistentQueue", "ResourceNotFoundException",
        "SignatureDoesNotMatch", "UnrecognizedClientException", "ValidationException",
        "ValidationError",
    }
)  # fmt: skip


def code_of(err: ClientError) -> str:
    """Return the service's error code."""
    return str(err.response.get("Error", {}).get("Code", ""))


@contextmanager
def translated(operation: str) -> Iterator[None]:
    """Translate what AWS raises inside the block.

    Raises:
        ConfigError: a missing right or resource, or a malformed request.
        RetryableError: anything else that AWS or the network answered.
    """
    try:
        yield
    except ClientError as err:
        message = f"{operation}: {err}"
        raise (ConfigError if code_of(err) in PERMANENT_CODES else RetryableError)(message) from err
    except BotoCoreError as err:
        raise RetryableError(f"{operation}: {err}") from err
