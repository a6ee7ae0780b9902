"""Real input: a day of Wikipedia edits, against figures counted by the standard library alone."""

import gzip
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregate.domain.deltas import Marker, contributions
from millrace.aggregates import Dimension, Scope
from millrace.definitions import parse
from millrace.enriched import EnrichedEvent
from millrace.times import parse_rfc3339
from millrace.windows import WindowWidth, hour_label
from millrace_testing.builders import ARRIVAL, enriched_event

DATA = Path(__file__).parents[4] / "shared" / "data"
EDITS = DATA / "wikiticker-2015-09-12-sampled.json.gz"
DEFINITIONS = parse(
    b"""
[[metric]]
name = "edits"
kind = "count"
dimensions = ["type"]
windows = ["hour", "day"]
[[metric]]
name = "added"
kind = "sum"
value = "payload.added"
dimensions = ["type"]
windows = ["hour", "day"]
[[metric]]
name = "deleted"
kind = "sum"
value = "payload.deleted"
dimensions = ["type"]
windows = ["hour", "day"]
[[metric]]
name = "users"
kind = "unique"
of = "entity"
dimensions = ["type"]
windows = ["hour", "day"]
""",
    "wikiticker.toml",
)

pytestmark = [
    pytest.mark.skipif(
        not EDITS.exists(), reason=f"the real input is not there: {DATA.name}/{EDITS.name}"
    ),
    pytest.mark.aggregation,
]


def edits() -> Iterator[EnrichedEvent]:
    with gzip.open(EDITS, "rb") as lines:
        for number, line in enumerate(lines):
            row = json.loads(line)
            yield enriched_event(
                number,
                event_type="edit",
                source="wikipedia",
                entity_id=row["user"],
                client_id=row["channel"],
                event_time=parse_rfc3339(row["time"]),
                arrival_time=ARRIVAL,
                payload=row,
            )


@pytest.fixture(scope="module")
def totals() -> dict[tuple[WindowWidth, str, str], Any]:
    """Totals by width, hour and metric, from commits of 997 edits in shuffled order."""
    remaining = edits()
    commits = []
    while commit := list(islice(remaining, 997)):
        commits.append(commit)
    Random(2015).shuffle(commits)
    seen: set[Marker] = set()
    totals: dict[tuple[WindowWidth, str, str], Any] = {}
    for commit in commits:
        added = contributions(commit, DEFINITIONS)
        assert added.unusable_amounts == 0
        new = set(added.markers) - seen
        seen |= new
        for key, delta in added.with_owned(new).items():
            assert key.scope == Scope.of(Dimension.TYPE, "edit")
            at = (key.window.width, hour_label(key.window.start), key.metric)
            totals[at] = totals.get(at, 0) + delta.value
    return totals


@pytest.fixture(scope="module")
def expected() -> Any:
    return json.loads((DATA / "wikiticker_expected.json").read_bytes())


@pytest.mark.parametrize(
    ("metric", "figure"),
    [("edits", "rows"), ("added", "added"), ("deleted", "deleted"), ("users", "unique_users")],
)
def test_every_hour_is_as_expected(totals, expected, metric, figure):
    """Counts, sums and distinct users equal the independent figures, hour by hour."""
    hours = {hour["hour"]: hour[figure] for hour in expected["by_hour"]}
    ours = {
        hour: value
        for (width, hour, name), value in totals.items()
        if width is WindowWidth.HOUR and name == metric
    }
    assert ours == hours


def test_the_day_is_as_expected(totals, expected):
    """The day's rows and distinct users are the file's; its sums are those of its hours."""
    day = {name: value for (width, _, name), value in totals.items() if width is WindowWidth.DAY}
    assert day == {
        "edits": expected["rows"],
        "users": expected["distinct_users"],
        "added": sum(hour["added"] for hour in expected["by_hour"]),
        "deleted": sum(hour["deleted"] for hour in expected["by_hour"]),
    }
