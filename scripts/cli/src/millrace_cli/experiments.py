"""`millrace experiments load`: rows to experiments, and experiments into their table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import orjson

from millrace.assignments import MAX_ID_CHARS, MAX_METADATA_BYTES, Metadata
from millrace.aws.experiments import DynamoExperiments
from millrace_cli.assignments import change_of, text_of
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.loading import Change
from millrace_cli.mapping import FieldRule, Fields, mapped
from millrace_cli.rows import BadRow, Row

ID = "experiment_id"
FIELDS = Fields("experiment", (ID,), None)
# Magnitudes that DynamoDB's numbers have:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
_SMALLEST, _LARGEST = 1e-130, 9.99e125


@dataclass(frozen=True, slots=True)
class ExperimentEntry:
    """One row: an experiment and what is known of it."""

    experiment_id: str
    metadata: Metadata

    @property
    def key(self) -> str:
        """An experiment is known once."""
        return self.experiment_id


def entry_reader(rules: tuple[FieldRule, ...]) -> Callable[[Row], ExperimentEntry]:
    """Return what makes an experiment of a row; without rules every other column is metadata."""

    def entry_of(row: Row) -> ExperimentEntry:
        fields = dict(mapped(row, rules) if rules else row.fields)
        experiment_id = text_of(row, fields, ID, MAX_ID_CHARS)
        del fields[ID]
        metadata = {name: value for name, value in fields.items() if value is not None}
        for problem, remedy in _faults(metadata, ""):
            raise BadRow(row.line, problem, remedy)
        size = len(orjson.dumps(metadata))
        if size > MAX_METADATA_BYTES:
            raise BadRow(
                row.line,
                f"the experiment's metadata has {size} bytes",
                f"keep it to {MAX_METADATA_BYTES}: every row of its entities carries a copy",
            )
        return ExperimentEntry(experiment_id, metadata)

    return entry_of


def _faults(value: object, path: str) -> Iterator[tuple[str, str]]:
    """Yield what DynamoDB cannot hold of a JSON value, and what to do about it."""
    match value:
        case Mapping():
            for name, each in value.items():
                if not name:
                    yield f"a field in {path or 'the row'} has no name", "name it or leave it out"
                yield from _faults(each, f"{path}.{name}" if path else name)
        case list():
            for number, each in enumerate(value):
                yield from _faults(each, f"{path}[{number}]")
        case float() if value and not _SMALLEST <= abs(value) <= _LARGEST:
            yield f"{path} is a number beyond what can be stored", "write it as text"


class ExperimentTable:
    """`millrace_cli.loading.Store` of experiments, read and written in batches."""

    def __init__(self, environment: Environment) -> None:
        self._table = DynamoExperiments(
            environment.clients.dynamodb(), environment.outputs.tables.experiments
        )

    def store(self, entries: Sequence[ExperimentEntry]) -> Sequence[Change]:
        """Store the experiments that are not there as they are."""
        with explained("store experiments"):
            there = self._table.metadata_of([each.experiment_id for each in entries])
            changes = [change_of(there.get(each.experiment_id), each.metadata) for each in entries]
            self._table.put(
                (entry.experiment_id, entry.metadata)
                for entry, change in zip(entries, changes, strict=True)
                if change is not Change.UNCHANGED
            )
        return changes
