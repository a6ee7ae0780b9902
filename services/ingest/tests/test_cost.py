"""What ingest costs, and that no commit row outgrows its item, on the local engine."""

from collections.abc import Sequence
from datetime import timedelta
from random import Random
from uuid import uuid4

import pytest
from ingest_stories import Clients, IngestStory, Stage

from ingest.domain.records import StreamRecord
from millrace.commit import padded
from millrace.times import format_ms, to_epoch_ms
from millrace_testing.builders import ARRIVAL, event_bytes
from millrace_testing.wire_cost import WireCost

pytestmark = pytest.mark.engine

FIRST_SEQ = 49_581_544_954_143_914_480_256_700_934_210_366_840_104_395_343_224_897_586


@pytest.fixture
def story(engine) -> IngestStory:
    clients = Clients.of(engine.endpoint)
    clients.use_own_resources()
    return IngestStory(Stage(clients, clients, clients))


def sized(source: str, number: int, event_bytes_wanted: int) -> bytes:
    bare = event_bytes(number, source=source, payload={"fill": ""})
    fill = "x" * (event_bytes_wanted - len(bare))
    return event_bytes(number, source=source, payload={"fill": fill})


def stream(datas: Sequence[bytes], spread: timedelta = timedelta(0)) -> list[StreamRecord]:
    """Return records with sequence numbers as far apart as a real stream's."""
    arrival = to_epoch_ms(ARRIVAL)
    step_ms = spread // timedelta(milliseconds=1) // len(datas)
    return [
        StreamRecord(FIRST_SEQ + n * 4_835_703_278_458_516_698_824_704, arrival + n * step_ms, data)
        for n, data in enumerate(datas)
    ]


def test_a_thousand_events_cost_what_was_promised(story, figures):
    """1,000 events of 400 bytes, 500 a batch: counted from the answers of the engine."""
    records = stream([sized(story.source, 100 + n, 400) for n in range(1000)])
    assert {len(record.data) for record in records} == {400}
    cost = WireCost()
    clients = story.stage.attempt
    cost.attach(clients.dynamodb, clients.s3, clients.sqs)
    for batch in (records[:500], records[500:]):
        result = story.ingest_on(clients).ingest(story.shard, batch, "cost")
        assert (result.retry_from, result.counts.accepted) == (None, 500)
    figures(f"1,000 events: {cost.write_units.total():g} write units {dict(cost.write_units)}")
    figures(f"requests: {dict(cost.requests)}")
    assert 1000 < cost.write_units.total() <= 1200
    assert 0 < cost.requests["PutObject"] <= 6
    assert 0 < cost.requests["SendMessage"] <= 4


def row_bytes(story: IngestStory, first_seq: int) -> int:
    """Return the size of the commit's larger item, as DynamoDB counts its binary attributes."""
    item = story.stage.clean.dynamodb.get_item(
        TableName=story.stage.clean.commits,
        Key={"shard": {"S": f"{story.shard}#lines"}, "seq": {"S": padded(first_seq)}},
    )["Item"]
    return sum(len(value["B"]) for value in item.values() if "B" in value)


def test_a_batch_of_500_sources_and_types_commits(story, figures):
    """Every event of its own source and type: the row stays far below DynamoDB's 400 KB."""
    datas = [
        event_bytes(n, source=f"{story.source}-{n}", event_type=f"type-{uuid4().hex}-{n}")
        for n in range(500)
    ]
    records = stream(datas)
    result = story.ingest_on(story.stage.clean).ingest(story.shard, records, "wide")
    assert (result.retry_from, result.counts.accepted) == (None, 500)
    size = row_bytes(story, FIRST_SEQ)
    figures(f"500 sources and types: line table and statistics of {size:,} bytes")
    assert size < 100_000


def test_a_batch_that_spans_a_day_commits(story):
    """24 hours of arrivals in one batch are one commit with both ends noted."""
    datas = [
        event_bytes(n, source=story.source, event_time=format_ms(ARRIVAL)) for n in range(10, 510)
    ]
    records = stream(datas, spread=timedelta(hours=24))
    result = story.ingest_on(story.stage.clean).ingest(story.shard, records, "long")
    assert (result.retry_from, result.counts.accepted) == (None, 500)
    (commit,) = result.commits
    assert commit.head.last_arrival - commit.head.first_arrival > timedelta(hours=23)


def test_the_largest_commit_fits_its_row(story, figures):
    """2,000 duplicates in random order, at random sequence numbers and times, still fit."""
    datas = [event_bytes(n, source=story.source) for n in range(10, 2010)]
    first = story.ingest_on(story.stage.clean).ingest(story.shard, stream(datas), "first")
    assert first.retry_from is None
    draw = Random(7)
    seqs = sorted(draw.randrange(FIRST_SEQ * 2, FIRST_SEQ * 3) for _ in datas)
    draw.shuffle(datas)
    arrival = to_epoch_ms(ARRIVAL)
    again = [
        StreamRecord(seq, arrival + draw.randrange(10**6), data)
        for seq, data in zip(seqs, datas, strict=True)
    ]
    result = story.ingest_on(story.stage.clean).ingest(story.shard, again, "again")
    assert (result.retry_from, result.counts.duplicates) == (None, 2000)
    size = row_bytes(story, seqs[0])
    figures(f"2,000 duplicates: line table and statistics of {size:,} bytes")
    assert size < 300_000
