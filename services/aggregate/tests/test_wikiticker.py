"""Real input: a day of Wikipedia edits, against figures counted by the standard library alone."""

import gzip
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import pytest

from millrace.aggregates import Dimension, Scope
from millrace.definitions import version_of
from millrace.enriched import EnrichedEvent
from millrace.keys import definitions_key
from millrace.times import parse_rfc3339
from millrace.windows import WindowWidth, hour_label
from millrace_testing.builders import ARRIVAL, enriched_event
from millrace_testing.metrics import metric

DATA = Path(__file__).parents[4] / "shared" / "data"
EDITS = DATA / "wikiticker-2015-09-12-sampled.json.gz"
BOTH = ("hour", "day")
DEFINITIONS = (
    metric("edits", windows=BOTH)
    + metric("added", "sum", windows=BOTH, value="payload.added")
    + metric("deleted", "sum", windows=BOTH, value="payload.deleted")
    + metric("users", "unique", windows=BOTH, of="entity")
)

pytestmark = [
    pytest.mark.skipif(
        not EDITS.exists(), reason=f"the real input is not there: {DATA.name}/{EDITS.name}"
    ),
    pytest.mark.aggregation,
    pytest.mark.exhaustive,
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


def commits() -> Iterator[list[EnrichedEvent]]:
    version, remaining = version_of(DEFINITIONS), edits()
    while commit := list(islice(remaining, 997)):
        yield [replace(edit, defs_version=version) for edit in commit]


def one_by_one(references: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for reference in references:
        yield [reference]


def three_times_regrouped(references: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Return every message three times, shuffled, in batches of 1 to 10."""
    random = Random(2015)
    deliveries = list(references) * 3
    random.shuffle(deliveries)
    left = iter(deliveries)
    while batch := list(islice(left, random.randint(1, 10))):
        yield batch


@pytest.fixture(scope="module", params=[one_by_one, three_times_regrouped])
def totals(request, new_world) -> dict[tuple[WindowWidth, str, str], Any]:
    """The values of all rows by width, hour and metric, once every message was processed."""
    world = new_world()
    world.objects.put_new(definitions_key(version_of(DEFINITIONS)), DEFINITIONS)
    references = [world.commit(seq, commit) for seq, commit in enumerate(commits(), start=1)]
    service = world.service()
    for batch in request.param(references):
        assert not any(isinstance(each, Exception) for each in service.aggregate(batch))
    assert request.param is one_by_one or max(world.counters.transactions) > 1
    assert {key.scope for key in world.counters.rows} == {Scope.of(Dimension.TYPE, "edit")}
    return {
        (key.window.width, hour_label(key.window.start), key.metric): row.value
        for key, row in world.counters.rows.items()
    }


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
