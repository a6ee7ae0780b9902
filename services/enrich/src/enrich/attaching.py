"""Assignments and experiments attached to rows: the same for live and for replayed events."""

from collections.abc import Sequence

from enrich.domain import Gaps, distinct_entities, enriched, experiments_in, gaps
from enrich.ports import Assignments, Experiments
from millrace.enriched import EnrichedEvent


def attached(
    events: Sequence[EnrichedEvent], assignments: Assignments, experiments: Experiments
) -> tuple[list[EnrichedEvent], Gaps]:
    """Return the events with their entities' assignments, and what was not found.

    Raises:
        RetryableError, ConfigError: as the ports do; a short answer is never attached.
    """
    entities = distinct_entities(events)
    assigned = assignments.of(entities) if entities else {}
    wanted = experiments_in(assigned)
    known = experiments.metadata_of(wanted) if wanted else {}
    rows = list(enriched(events, assigned, known))
    return rows, gaps(entities, assigned, known, rows)
