"""What docs/deploy.md says that events cost is what the handlers are seen to ask of AWS."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pipeline import STAGES

from millrace.times import format_ms
from millrace_testing.builders import event_bytes

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "deploy.md"
EVENTS, BATCH = 1000, 500
EVENT_BYTES, ENTITIES = 400, 100
TYPES, SOURCES = ("view", "click", "purchase"), ("cost-web", "cost-mobile")
SPREAD_S = 60
COLUMNS = ("write units", "read units", "S3 writes", "S3 reads", "messages", "calls", "KB of log")
TOLERANCE = 0.1
# What the columns are made of: capacity covers all that is asked of DynamoDB.
COUNTED = {
    "BatchExecuteStatement", "BatchGetItem", "BatchWriteItem", "GetItem", "PutItem", "Query",
    "TransactWriteItems", "UpdateItem", "GetObject", "HeadObject", "ListObjectsV2", "PutObject",
    "SendMessage", "SendMessageBatch",
}  # fmt: skip

_NUMBER = r"([\d,.]+)"


@pytest.fixture
def stages_of_prod(pipeline, stages):
    """The stages with the metric definitions of dev and prod; those of a laptop count more."""
    key = f"config/metrics-cost-{uuid4().hex}.toml"
    pipeline.deployed.client("s3").put_object(
        Bucket=pipeline.outputs["data_bucket"],
        Key=key,
        Body=(ROOT / "terraform/metrics/default.toml").read_bytes(),
    )
    stages["enrich"]["METRICS_KEY"] = key
    return stages


def events(number: int) -> list[str]:
    """Return different events of 400 bytes, of the last minute before this hour."""
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    spread_s = SPREAD_S / number
    return [sized(n, end - timedelta(seconds=spread_s * (n + 1))) for n in range(number)]


def sized(n: int, at: datetime) -> str:
    fields: dict[str, object] = {
        "event_id": uuid4().hex,
        "event_type": TYPES[n % len(TYPES)],
        "entity_id": f"user_{n % ENTITIES:02}",
        "event_time": format_ms(at),
        "source": SOURCES[n % len(SOURCES)],
    }
    bare = event_bytes(**fields, payload={"fill": ""})
    return event_bytes(**fields, payload={"fill": "x" * (EVENT_BYTES - len(bare))}).decode()


def counted(rounds: Sequence[Mapping[str, Any]], stage: str) -> list[float]:
    """Return what the stage asked for over the rounds, in the order of the columns."""
    of_stage = [each[stage] for each in rounds]
    requests = sum((Counter(each["requests"]) for each in of_stage), Counter[str]())
    assert requests.keys() <= COUNTED
    return [
        sum(each["write_units"] for each in of_stage),
        sum(each["read_units"] for each in of_stage),
        requests["PutObject"] + requests["ListObjectsV2"],
        requests["GetObject"] + requests["HeadObject"],
        requests["SendMessage"] + requests["SendMessageBatch"],
        len(of_stage),
        sum(each["log_bytes"] for each in of_stage) / 1000,
    ]


def rows(names: Sequence[str], numbers: int) -> dict[str, list[float]]:
    """Return the rows of docs/deploy.md that begin with these names, so many numbers of each."""
    text = DOCUMENT.read_text()
    found = {}
    for name in names:
        cells = r" \| ".join([re.escape(name), *[_NUMBER] * numbers])
        match = re.search(rf"^\| {cells} \|$", text, re.MULTILINE)
        assert match, f"docs/deploy.md has no row {name!r} of {numbers} numbers"
        found[name] = [float(cell.replace(",", "")) for cell in match.groups()]
    return found


def test_a_thousand_events_ask_of_aws_what_is_documented(stages_of_prod, through_handlers, figures):
    """By stage, after a first batch: capacity, requests, messages, calls, kilobytes of log."""
    work = {
        "stages": stages_of_prod,
        "shard_id": f"shardId-{uuid4().int % 10**12:012d}",
        "rounds": [events(3), *(events(BATCH) for _ in range(EVENTS // BATCH))],
    }
    taken = through_handlers(work)[1:]
    seen = {stage: counted(taken, stage) for stage in STAGES}
    figures(f"{EVENTS} events of {EVENT_BYTES} bytes, {BATCH} a batch")
    for stage, numbers in seen.items():
        cpu_s = sum(each[stage]["cpu_s"] for each in taken)
        columns = zip(COLUMNS, numbers, strict=True)
        counts = ", ".join(f"{number:g} {name}" for name, number in columns)
        figures(f"{stage}: {counts}, {cpu_s:.3f} s of CPU here")
    assert not [f for each in taken for stage in STAGES for f in each[stage]["failures"]]
    for stage, documented in rows(STAGES, len(COLUMNS)).items():
        assert documented == pytest.approx(seen[stage], rel=TOLERANCE, abs=0.6), stage


def test_the_documented_cost_is_count_times_price():
    """Each row of the bill is its column's sum at its price, and the total is their sum."""
    by_stage = rows(STAGES, len(COLUMNS)).values()
    sums = dict(zip(COLUMNS, map(sum, zip(*by_stage, strict=True)), strict=True))
    sums |= {"records": EVENTS, "SQS requests": 3 * sums["messages"]}
    billed = ("records", "write units", "read units", "S3 writes", "S3 reads", "SQS requests",
              "calls", "KB of log")  # fmt: skip
    bill = rows(billed, 3)
    for name, (count, price, cost) in bill.items():
        assert count == pytest.approx(sums[name], rel=0.001, abs=0.06), name
        assert cost == pytest.approx(count * price / EVENTS, abs=0.0006), name
    (total,) = re.findall(
        rf"^\| together \| +\| +\| {_NUMBER} \|$", DOCUMENT.read_text(), re.MULTILINE
    )
    assert float(total) == pytest.approx(sum(cost for _, _, cost in bill.values()), abs=0.0006)
