"""A sample's experiments and assignments, stored as enrich reads them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from millrace.aws.assignments import DynamoAssignments
from millrace.aws.experiments import DynamoExperiments
from millrace.times import format_ms
from millrace_cli import assignments, experiments
from millrace_cli.aws import Clients
from millrace_cli.environment import Environment, Outputs, Tables
from millrace_cli.errors import CommandError
from millrace_cli.generate.files import write_sample
from millrace_cli.generate.plan import Plan
from millrace_cli.generate.sample import make_sample
from millrace_cli.generate.tables import store_experiments
from millrace_cli.loading import LoadSource
from millrace_testing.tables import ASSIGNMENTS, EXPERIMENTS, create_table

OUTPUTS = Outputs(
    region="us-east-1",
    name_prefix="p",
    stream_arn="a",
    stream_incarnation="i",
    data_bucket="b",
    tables=Tables(
        commits="c", gate="g", event_index="i", aggregates="a", manifests="m",
        assignments="assignments", experiments="experiments",
    ),
    queue_urls={},
    dlq_urls={},
)  # fmt: skip
SAMPLE = make_sample(Plan(events=500, days=1))


@pytest.fixture
def dynamodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("dynamodb", region_name="us-east-1")


def test_enrichs_own_readers_find_every_row(dynamodb: Any) -> None:
    """Each assignment and experiment comes back as the sample's files name it, also twice."""
    create_table(dynamodb, "assignments", ASSIGNMENTS)
    create_table(dynamodb, "experiments", EXPERIMENTS)
    for _ in range(2):
        store_experiments(SAMPLE, Environment(OUTPUTS, Clients.on_aws("us-east-1")))
    entities = sorted({str(row["entity_id"]) for row in SAMPLE.assignments})
    stored = DynamoAssignments(dynamodb, "assignments").of(entities)
    rows = [
        {
            "entity_id": entity_id,
            "experiment_id": each.experiment_id,
            "variant": each.variant,
            "assigned_at": format_ms(each.assigned_at),
        }
        for entity_id, found in stored.items()
        for each in found.known
    ]
    in_order = [
        (str(row["entity_id"]), str(row["experiment_id"]), row) for row in SAMPLE.assignments
    ]
    found_in_order = [(row["entity_id"], row["experiment_id"], row) for row in rows]
    assert sorted(found_in_order, key=lambda each: each[:2]) == sorted(
        in_order, key=lambda each: each[:2]
    )
    ids = [str(row["experiment_id"]) for row in SAMPLE.experiments]
    metadata = DynamoExperiments(dynamodb, "experiments").metadata_of(ids)
    assert [{"experiment_id": each, **metadata[each]} for each in ids] == SAMPLE.experiments


def test_a_missing_table_is_one_clear_error(dynamodb: Any) -> None:
    """What cannot be stored is said with a remedy, before any event is sent."""
    with pytest.raises(CommandError, match="store experiments") as caught:
        store_experiments(SAMPLE, Environment(OUTPUTS, Clients.on_aws("us-east-1")))
    assert caught.value.remedy


def test_the_commands_load_the_files(tmp_path: Path) -> None:
    """`experiments load` and `assignments load` take every row of the files as it is."""
    write_sample(SAMPLE, tmp_path / "s.ndjson")
    for name, reader, rows in (
        ("assignments", assignments.entry_reader(()), SAMPLE.assignments),
        ("experiments", experiments.entry_reader(()), SAMPLE.experiments),
    ):
        source: LoadSource[Any] = LoadSource(str(tmp_path / f"s.{name}.ndjson"), reader)
        assert len({each.key for each in source.records()}) == len(rows) > 0
