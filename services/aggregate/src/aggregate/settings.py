"""What aggregate reads from its environment."""

from typing import Annotated

from pydantic import Field, field_validator

from aggregate.domain.hot import HotScopes
from millrace.aws.aggregates import scope_of
from millrace.settings import ConsumerSettings


class AggregateSettings(ConsumerSettings):
    """One field for each variable; Terraform sets them all."""

    data_bucket: str
    """Bucket of raw, quarantined, enriched and archived events."""
    commits_table: str
    """Table of commit rows and checkpoints: the ledger."""
    aggregates_table: str
    """Table of the counters, by scope and window."""
    markers_table: str
    """Table of what has been counted as unique already, and by which commit."""
    replays_table: str
    """Table of replays: which are allowed to run, and in which version."""
    marker_ttl_days: Annotated[int, Field(ge=30, le=3650)] = 90
    """Days for which unique entities are remembered: longer than a reference can wait in queues
    (SQS keeps 14 days, and so does a DLQ)."""
    hot_scopes: tuple[str, ...] = ()
    """JSON list of scopes as `millrace aggregates --scope` takes them: `["TYPE#edit"]`."""
    hot_scope_shards: Annotated[int, Field(ge=1, le=64)] = 8
    """Items over which each row of a hot scope is spread."""
    dry_run: bool = False
    """Compute what replayed events would add, and write nothing of it."""

    @field_validator("hot_scopes")
    @classmethod
    def _are_scopes(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            scope_of(text)
        return texts

    @property
    def hot_scope_rows(self) -> HotScopes:
        """How the rows of hot scopes are spread."""
        return HotScopes(frozenset(map(scope_of, self.hot_scopes)), self.hot_scope_shards)
