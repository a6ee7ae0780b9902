"""Puts a sample's experiments and assignments where enrich looks them up."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import orjson

from millrace_cli import assignments, experiments
from millrace_cli.environment import Environment
from millrace_cli.generate.sample import Sample
from millrace_cli.loading import Keyed, chunks
from millrace_cli.rows import Row

Entry = TypeVar("Entry", bound=Keyed)


def store_experiments(sample: Sample, environment: Environment) -> None:
    """Store the sample's experiments and assignments as `load` does; again changes nothing.

    Before its events are sent: what is enriched earlier stays without.

    Raises:
        CommandError: a table is missing or cannot be written.
    """
    experiment_table = experiments.ExperimentTable(environment)
    for known in chunks(_entries(sample.experiments, experiments.entry_reader(()))):
        experiment_table.store(known)
    assignment_table = assignments.AssignmentTable(environment)
    for assigned in chunks(_entries(sample.assignments, assignments.entry_reader(()))):
        assignment_table.store(assigned)


def _entries(rows: Sequence[Mapping[str, object]], entry_of: Callable[[Row], Entry]) -> list[Entry]:
    return [
        entry_of(Row(number, row, orjson.dumps(row))) for number, row in enumerate(rows, start=1)
    ]
