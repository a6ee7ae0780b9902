"""Real input through every live service: real zips, real Terraform, IAM enforced."""

import gzip
import json
import re
from pathlib import Path

import duckdb
import orjson
import pytest
from pipeline import NO_DATA, WIKITICKER, WIKITICKER_MAP

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

STAGES = ("received", "accepted", "enriched", "aggregated", "archived")
WITHOUT_RESOURCES = {"cloudwatch:GetMetricData", "lambda:ListEventSourceMappings"}
"""AWS knows no resources for these:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html"""
wikiticker = pytest.mark.skipif(not WIKITICKER.exists(), reason=NO_DATA)


def hourly_counts(pipeline) -> dict[str, int]:
    rows = json.loads(
        pipeline.millrace(
            "aggregates", "--scope", "SOURCE#wikipedia", "--metric", "event_count", "--json"
        )
    )
    return {row["window_start"][:13]: row["value"] for row in rows}


@wikiticker
def test_every_edit_comes_through_every_stage(edits):
    """39,244 sent are 39,244 received, accepted, enriched, aggregated, archived; none rejected."""
    before, after = edits
    assert {name: after[name] - before[name] for name in STAGES} == dict.fromkeys(STAGES, 39_244)
    assert after["quarantined"] == before["quarantined"]
    assert after["duplicates"] == before["duplicates"]


@wikiticker
def test_hourly_counts_are_the_files(edits, pipeline):
    """Counts by hour equal those that the standard library finds in the file."""
    expected = json.loads(WIKITICKER.with_name("wikiticker_expected.json").read_text())
    assert hourly_counts(pipeline) == {hour["hour"]: hour["rows"] for hour in expected["by_hour"]}


@wikiticker
def test_an_independent_reader_finds_the_archive(edits, download):
    """DuckDB reads the Hive partitions: 39,244 distinct ids, each in the folder of its hour."""
    folder = download("archive/year=2015/")
    rows = duckdb.sql(
        "SELECT hour, count(*), count(DISTINCT event_id), "
        "count(*) FILTER (WHERE hour <> substr(event_time, 12, 2)) "
        f"FROM read_json('{folder}/archive/*/*/*/*/*.ndjson.gz', hive_partitioning = true, "
        "hive_types = {'hour': VARCHAR}, columns = {event_id: 'VARCHAR', event_time: 'VARCHAR'}) "
        "GROUP BY hour ORDER BY hour"
    ).fetchall()
    expected = json.loads(WIKITICKER.with_name("wikiticker_expected.json").read_text())
    assert [(hour, events) for hour, events, _, _ in rows] == [
        (hour["hour"][-2:], hour["rows"]) for hour in expected["by_hour"]
    ]
    assert sum(distinct for _, _, distinct, _ in rows) == 39_244
    assert all(misplaced == 0 for *_, misplaced in rows)


@wikiticker
def test_the_documented_query_agrees_hour_by_hour(edits, pipeline, tmp_path, monkeypatch):
    """What docs/archive.md says, word for word: rows, users and sums by hour are the file's."""
    text = (Path(__file__).parents[2] / "docs/archive.md").read_text().partition("## DuckDB")[2]
    command = re.search(r"millrace (archive copy .*)", text)[1].split()
    query = re.search(r"```sql\n(.*?)```", text, re.DOTALL)[1]
    folder = tmp_path / "my-archive"
    pipeline.millrace(*(str(folder) if each == "my-archive" else each for each in command))
    monkeypatch.chdir(tmp_path)
    expected = json.loads(WIKITICKER.with_name("wikiticker_expected.json").read_text())
    columns = ("rows", "unique_users", "added", "deleted")
    assert [
        (f"2015-09-12T{int(hour):02}", *rest) for hour, *rest in duckdb.sql(query).fetchall()
    ] == [(hour["hour"], *(hour[name] for name in columns)) for hour in expected["by_hour"]]


@wikiticker
def test_the_same_file_again_is_all_duplicates(edits, pipeline, download):
    """A second time nothing is new: aggregates and archive stay as they are."""
    counts = hourly_counts(pipeline)
    before = pipeline.put(WIKITICKER, *WIKITICKER_MAP)
    after = pipeline.settled(before["received"] + 39_244)["counts"]
    assert after["duplicates"] - before["duplicates"] == 39_244
    assert after["accepted"] == before["accepted"]
    assert after["archive_objects"] == before["archive_objects"]
    assert hourly_counts(pipeline) == counts


def test_good_bad_and_repeated_records_are_told_apart(pipeline, tmp_path, download):
    """Received = accepted + duplicates + quarantined, and quarantine says why."""
    good = [
        orjson.dumps(
            {
                "event_type": "e2e",
                "entity_id": f"user#{n}/a",
                "event_time": "2025-12-28T09:30:00Z",
                "source": "e2e",
            }
        )
        for n in range(30)
    ]
    no_entity = b'{"event_type": "e2e", "event_time": "2025-12-28T09:30:00Z"}'
    no_offset = b'{"event_type":"e2e","entity_id":"u","event_time":"2025-12-28T09:30:00"}'
    file = tmp_path / "mixed.ndjson"
    file.write_bytes(b"\n".join([*good, *good[:5], no_entity, no_offset]) + b"\n")
    before = pipeline.put(file)
    after = pipeline.settled(before["received"] + 37)["counts"]
    changed = {name: after[name] - before[name] for name in after}
    assert (changed["accepted"], changed["duplicates"], changed["quarantined"]) == (30, 5, 2)
    quarantined = [
        json.loads(line)
        for found in download("quarantine/").rglob("*.ndjson.gz")
        for line in gzip.decompress(found.read_bytes()).splitlines()
    ]
    assert {"missing_field", "time_without_offset"} <= {row["reason"] for row in quarantined}
    rows = json.loads(
        pipeline.millrace("aggregates", "--scope", "ENTITY#user#7/a", "--window", "day", "--json")
    )
    assert [(row["metric_name"], row["value"]) for row in rows] == [("daily_event_count", 1)]


def test_nothing_ran_with_more_rights_than_its_role(pipeline):
    """IAM is enforced: ingest's own credentials open nothing that its policy does not name."""
    iam = pipeline.deployed.client("iam")
    prefix = pipeline.outputs["name_prefix"]
    documents = [
        iam.get_role_policy(RoleName=f"{prefix}-{service}", PolicyName=name)["PolicyDocument"]
        for service in pipeline.outputs["functions"]
        for name in iam.list_role_policies(RoleName=f"{prefix}-{service}")["PolicyNames"]
    ]
    assert len(documents) >= len(pipeline.outputs["functions"])
    everywhere = {
        action
        for document in documents
        for statement in document["Statement"]
        for action in listed(statement["Action"])
        if "*" in listed(statement["Resource"])
    }
    assert everywhere <= WITHOUT_RESOURCES


def listed(one_or_more):
    """Return what a policy writes as one text or a list of them."""
    return [one_or_more] if isinstance(one_or_more, str) else one_or_more
