"""The queues of a deployment with their dead letters, by the names that people use."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from millrace.aws.dead_letters import SqsDeadLetters
from millrace.errors import ConfigError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


def dead_letter_queues(
    client: "SQSClient", queue_urls: Mapping[str, str], dead_letter_urls: Mapping[str, str]
) -> dict[str, SqsDeadLetters]:
    """Return the dead letters of each queue; no call is made.

    Raises:
        ConfigError: a queue has no dead-letter queue, or the other way round.
    """
    if queue_urls.keys() != dead_letter_urls.keys():
        raise ConfigError("QUEUE_URLS and DEAD_LETTER_URLS name different queues")
    return {
        name: SqsDeadLetters(client, queue_urls[name], url)
        for name, url in dead_letter_urls.items()
    }
