"""What replay reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import ConsumerSettings


class ReplaySettings(ConsumerSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    replays_table: str
    """Table of replays: their plans and progress."""
    replay_queue_url: str
    """Where the processor takes its messages from."""
    replay_work_queue_url: str
    """What wakes this function; it sends itself the next step."""
    replay_live_lag_s: Annotated[int, Field(ge=1)] = 60
    """Seconds that live commits may wait for a stage before a replay slows down."""
    replay_backlog: Annotated[int, Field(ge=10)] = 20_000
    """Messages that may wait for the processor before the worker stops to add to them."""
    replay_look_again_s: Annotated[int, Field(ge=1, le=900)] = 15
    """Seconds for which a sent replay rests between two looks at whether it is all counted."""
