"""Puts a sample's experiments and assignments where enrich looks them up."""

from collections import defaultdict
from typing import TYPE_CHECKING

from millrace.assignments import EntityAssignment
from millrace.aws.assignments import AssignmentsWriter
from millrace.aws.experiments import DynamoExperiments
from millrace.times import parse_rfc3339
from millrace_cli.aws import explained
from millrace_cli.environment import Tables
from millrace_cli.generate.sample import Sample

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


def store_experiments(sample: Sample, client: "DynamoDBClient", tables: Tables) -> None:
    """Store what the sample's files of experiments and assignments hold; again changes nothing.

    Before its events are sent: what is enriched earlier stays without.

    Raises:
        CommandError: a table is missing or cannot be written.
    """
    by_entity: dict[str, list[EntityAssignment]] = defaultdict(list)
    for row in sample.assignments:
        by_entity[str(row["entity_id"])].append(
            EntityAssignment(
                str(row["experiment_id"]),
                str(row["variant"]),
                parse_rfc3339(str(row["assigned_at"])),
            )
        )
    writer = AssignmentsWriter(client, tables.assignments)
    with explained("store the sample's experiments and assignments"):
        DynamoExperiments(client, tables.experiments).put(
            (str(row["experiment_id"]), {k: v for k, v in row.items() if k != "experiment_id"})
            for row in sample.experiments
        )
        for entity_id, assignments in by_entity.items():
            writer.assign(entity_id, assignments)
