"""The generated sample through the deployed pipeline: what it says of itself is what is found."""

import gzip
import json
from collections import Counter

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

OPTIONS = "--events 1500 --days 2 --start 2024-03-01 --seed 20240301 --malformed 22 --late 15"


@pytest.fixture(scope="module")
def generated(pipeline, tmp_path_factory):
    """Generate, send, wait; return the truth and by how much each count has grown."""
    out = tmp_path_factory.mktemp("generated") / "shop.ndjson.gz"
    truth = json.loads(pipeline.millrace("generate", *OPTIONS.split(), "--out", str(out), "--json"))
    before = pipeline.put(out, "--format", "lines")
    after = pipeline.settled(before["received"] + truth["records"])["counts"]
    return truth, {name: after[name] - before[name] for name in after}


def test_received_is_accepted_and_duplicates_and_quarantined(generated):
    """Each count is the truth's, and nothing is left over."""
    truth, grown = generated
    assert grown["received"] == truth["records"]
    assert {name: grown[name] for name in ("accepted", "duplicates", "quarantined")} == {
        name: truth[name] for name in ("accepted", "duplicates", "quarantined")
    }
    assert grown["received"] == grown["accepted"] + grown["duplicates"] + grown["quarantined"]
    assert grown["conflicts"] == 0
    assert grown["archived"] == grown["aggregated"] == grown["enriched"] == truth["accepted"]


def test_quarantine_says_why(generated, download):
    """Every malformed record lies there with the reason that the truth names."""
    truth, _ = generated
    rows = [
        json.loads(line)
        for found in download("quarantine/").rglob("*.ndjson.gz")
        for line in gzip.decompress(found.read_bytes()).splitlines()
    ]
    found = Counter(row["reason"] for row in rows)
    assert len(truth["quarantined_by_reason"]) == 11
    assert found >= Counter(truth["quarantined_by_reason"])


def test_every_event_type_is_counted(generated, pipeline):
    """The daily counts by type sum up to the truth's."""
    truth, _ = generated
    for event_type in ("conversion", "invoice_paid", "app_open"):
        rows = json.loads(
            pipeline.millrace(
                "aggregates", "--scope", f"TYPE#{event_type}", "--metric", "event_count",
                "--window", "day", "--from", "2024-03-01", "--to", "2024-03-03", "--json",
            )
        )  # fmt: skip
        assert sum(row["value"] for row in rows) == truth["accepted_by"]["event_type"][event_type]
