"""Which queues of the user's own a replay may be sent to."""

from collections.abc import Mapping

from millrace.problems import refused_field
from replay_api.domain.refusals import RefusalKind


def target_url(queue_arn: str | None, allowed: Mapping[str, str]) -> str | None:
    """Return the URL of an allowed queue; None for the pipeline's own.

    allowed: URLs by ARN.

    Raises:
        Refusal: the queue is not allowed.
    """
    if queue_arn is None:
        return None
    if queue_arn not in allowed:
        raise refused_field(
            RefusalKind.INVALID,
            "queue_arn",
            f"{queue_arn!r} is no queue that replays may be sent to; leave it out, or add it to "
            "Terraform's replay.target_queue_arns",
        )
    return allowed[queue_arn]
