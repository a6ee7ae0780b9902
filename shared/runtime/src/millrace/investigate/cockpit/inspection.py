"""All checks, over one set of readings."""

from millrace.investigate.cockpit.findings import Check
from millrace.investigate.cockpit.flow import (
    check_references,
    check_shards,
    check_stages,
)
from millrace.investigate.cockpit.leftovers import (
    check_dead_letters,
    check_discarded,
    check_exports,
    check_replays,
)
from millrace.investigate.cockpit.readings import Readings
from millrace.investigate.cockpit.services import check_services
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.investigate.cockpit.traffic import check_hot_scopes, check_lag, check_rejects

_CHECKS = (
    check_stages,
    check_shards,
    check_references,
    check_services,
    check_dead_letters,
    check_discarded,
    check_rejects,
    check_lag,
    check_hot_scopes,
    check_exports,
    check_replays,
)


def inspect(seen: Readings, limits: Thresholds) -> tuple[Check, ...]:
    """Return what each check looked at and found."""
    return tuple(check(seen, limits) for check in _CHECKS)
