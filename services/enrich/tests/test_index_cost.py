"""The index over a day of real edits: every one is found, and what its pages cost to write."""

import gzip
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from enrich.domain import committed_events, index_entries
from millrace.aws.index import page_item
from millrace.commit import Checkpoint, Commit
from millrace.index import BUCKETS, IndexEntry, pages_of
from millrace.index_reading import EntityEvents
from millrace.reference import Reference
from millrace.times import parse_rfc3339
from millrace_testing.builders import SHARD, commit_of

EDITS = Path(__file__).parents[4] / "shared" / "data" / "wikiticker-2015-09-12-sampled.json.gz"
FIRST_SEQ = 49581544954143914480256700934210366840104395343224897586
DAY = parse_rfc3339("2015-09-12T00:00:00Z")
WRITE_UNIT_BYTES = 1024
QUERY_PAGE_BYTES = 1_000_000

pytestmark = [
    pytest.mark.skipif(not EDITS.is_file(), reason="../shared/data is not beside this checkout"),
    pytest.mark.exhaustive,
]


@pytest.fixture(scope="module")
def lines() -> list[bytes]:
    """The edits as producers send them: no ids, so that ids are hashes, which compress least."""
    with gzip.open(EDITS) as file:
        rows = [json.loads(line) for line in file]
    return [
        json.dumps(
            {
                "source": "wikipedia",
                "event_type": "edit",
                "entity_id": row["user"],
                "client_id": row["channel"],
                "event_time": row["time"],
                "payload": row,
            }
        ).encode()
        for row in rows
    ]


def commits(lines: list[bytes], size: int) -> list[tuple[Commit, bytes, list[bytes]]]:
    """Return commits of `size` lines, which arrived 2 ms apart, with their raw objects."""
    made = []
    left = enumerate(lines)
    while chunk := list(islice(left, size)):
        mine = [line for _, line in chunk]
        commit, raw = commit_of(mine, first_seq=FIRST_SEQ + chunk[0][0])
        table = tuple(
            replace(entry, arrival_ms=entry.arrival_ms + 2 * number)
            for (number, _), entry in zip(chunk, commit.body.lines, strict=True)
        )
        made.append((replace(commit, body=replace(commit.body, lines=table)), raw, mine))
    return made


def item_bytes(item: Mapping[str, Any]) -> int:
    """Return an item's size as DynamoDB counts it: names, texts and bytes, numbers by digits.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    size = 0
    for name, value in item.items():
        ((kind, content),) = value.items()
        length = len(content) if kind == "B" else len(content.encode())
        size += len(name) + (length // 2 + 2 if kind == "N" else length)
    return size


@pytest.mark.parametrize(("size", "most_units"), [(500, 0.07), (1000, 0.055)])
def test_a_page_costs_what_was_planned(lines, figures, size, most_units):
    """About 0.05 write units an event, about 60 bytes an event at most; a day is read in pages."""
    sizes = []
    for commit, _, mine in commits(lines, size):
        entries = index_entries(commit, committed_events(commit, mine))
        days = {entry.day: BUCKETS for entry in entries}
        pages = pages_of(entries, commit.head.first_arrival, days)
        sizes += [item_bytes(page_item(page)) for page in pages]
    units = sum(math.ceil(each / WRITE_UNIT_BYTES) for each in sizes) / len(lines)
    event_bytes = sum(sizes) / len(lines)
    queries = math.ceil(1_000_000 * event_bytes / BUCKETS / QUERY_PAGE_BYTES)
    figures(
        f"index, {BUCKETS} buckets, commits of {size}: {units:.3f} write units an event, "
        f"{event_bytes:.0f} bytes an event, pages of {sum(sizes) / len(sizes):,.0f} bytes "
        f"(largest {max(sizes):,}); 1,000,000 events a day: {queries} Query pages an entity"
    )
    assert units <= most_units
    assert event_bytes <= 60
    assert queries <= 64


def test_every_edit_is_found_under_its_user(lines, new_world):
    """All 39,244 edits come back by user, in order, anonymous and non-Latin names included."""
    world = new_world()
    world.index.buckets = 512  # each page is short to read; how many there are is another test
    for number, (commit, raw, _) in enumerate(commits(lines, 2000)):
        head = commit.head
        before = world.ledger.read(SHARD)
        world.ledger.commit(before, Checkpoint(number + 2, head.last_seq, ()), commit)
        world.objects.put_new(head.raw_key, raw)
        world.reference = Reference.to(head)
        world.run()
    sent = Counter((row["entity_id"], row["event_time"]) for row in map(json.loads, lines))
    reader = EntityEvents(world.index)
    found: Counter[tuple[str, str]] = Counter()
    some: list[IndexEntry] = []
    for user in {user for user, _ in sent}:
        entries = list(reader.all_events_of(user, DAY, DAY + timedelta(days=1)))
        assert [entry.order for entry in entries] == sorted(entry.order for entry in entries)
        found.update((user, entry.event_time) for entry in entries)
        some += entries[:1]
    assert found == {(user, parse_rfc3339(at)): n for (user, at), n in sent.items()}
    assert any(not user.isascii() for user, _ in sent)
    assert any(user.count(".") == 3 for user, _ in sent)
    for entry in some[::500]:
        number = entry.first_seq - FIRST_SEQ + entry.line
        assert json.loads(lines[number])["entity_id"] == entry.entity_id
