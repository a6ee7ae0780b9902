"""What the replay API reads from its environment."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class ReplayApiSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    event_index_table: str
    """Table of where each event is, by entity and day."""
    replays_table: str
    """Table of replays: their plans and progress."""
    metrics_key: str
    """Object of the deployed metric definitions, by which replays compute."""
    replay_queue_url: str
    """Where the processor takes its messages from."""
    replay_work_queue_url: str
    """What wakes the worker that sends a replay's messages."""
    replay_target_queues: Mapping[str, str] = {}
    """URLs by ARN of the queues of one's own that a replay may be sent to."""
    replay_api_max_events: Annotated[int, Field(ge=1)] = 50_000
    """Largest limit of a request: planning must end within the function's time."""
