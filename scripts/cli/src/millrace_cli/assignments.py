"""`millrace assignments load`: rows to assignments, and assignments into their table."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from millrace.assignments import MAX_ID_CHARS, EntityAssignment
from millrace.aws.assignments import AssignmentsWriter
from millrace.errors import RejectedRecord
from millrace.times import format_ms, parse_rfc3339
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.loading import Change
from millrace_cli.mapping import FieldRule, Fields, mapped
from millrace_cli.rows import BadRow, Row

NAMES = ("entity_id", "experiment_id", "variant", "assigned_at")
FIELDS = Fields("assignment", NAMES, NAMES)
MAX_ENTITY_CHARS = 256  # as the event contract has it
_CALLS_AT_ONCE = 8  # below the 10 connections that a client keeps

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AssignmentEntry:
    """One row: an entity and its variant in one experiment."""

    entity_id: str
    assignment: EntityAssignment

    @property
    def key(self) -> tuple[str, str]:
        """An entity has one variant an experiment."""
        return self.entity_id, self.assignment.experiment_id


def entry_reader(rules: tuple[FieldRule, ...]) -> Callable[[Row], AssignmentEntry]:
    """Return what makes an assignment of a row; without rules by the columns' own names."""

    def entry_of(row: Row) -> AssignmentEntry:
        fields = mapped(row, rules) if rules else row.fields
        unknown = [name for name in fields if name not in NAMES]
        if unknown:
            raise BadRow(
                row.line,
                f"an assignment has no field {unknown[0]}",
                f"name the columns of {', '.join(NAMES)} with --map, which leaves others out",
            )
        return AssignmentEntry(
            text_of(row, fields, "entity_id", MAX_ENTITY_CHARS),
            EntityAssignment(
                text_of(row, fields, "experiment_id", MAX_ID_CHARS),
                text_of(row, fields, "variant", MAX_ID_CHARS),
                parse_rfc3339(_time_of(row, fields)),
            ),
        )

    return entry_of


def text_of(row: Row, fields: Mapping[str, object], name: str, max_chars: int) -> str:
    """Return a field that must be text (or a whole number, which becomes text).

    Raises:
        BadRow: it is missing, of another type, or of a wrong length.
    """
    value = fields.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value in (None, ""):
        raise BadRow(row.line, f"{name} is missing", "give it a value, or --map its column")
    if not isinstance(value, str):
        raise BadRow(row.line, f"{name} is no text", f"write it as 1 to {max_chars} characters")
    if len(value) > max_chars:
        raise BadRow(row.line, f"{name} has {len(value)} characters", f"use {max_chars} at most")
    return value


def _time_of(row: Row, fields: Mapping[str, object]) -> str:
    text = text_of(row, fields, "assigned_at", 64)
    try:
        # Kept to the millisecond, as every time of an event is.
        return format_ms(parse_rfc3339(text))
    except RejectedRecord as err:
        raise BadRow(
            row.line,
            f"assigned_at is no time ({err.message})",
            "write it as RFC 3339 with an offset: 2025-12-28T09:00:00Z",
        ) from err


class AssignmentTable:
    """`millrace_cli.loading.Store` of assignments: one call an entity, several at once."""

    def __init__(self, environment: Environment) -> None:
        self._writer = AssignmentsWriter(
            environment.clients.dynamodb(), environment.outputs.tables.assignments
        )

    def store(self, entries: Sequence[AssignmentEntry]) -> Sequence[Change]:
        """Store the assignments; say of each whether it was new, another, or there already."""
        by_entity: dict[str, list[EntityAssignment]] = defaultdict(list)
        for entry in entries:
            by_entity[entry.entity_id].append(entry.assignment)
        with explained("store assignments"), ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
            done = pool.map(lambda each: self._store(*each), by_entity.items())
            return [change for changes in done for change in changes]

    def _store(self, entity_id: str, assignments: Sequence[EntityAssignment]) -> list[Change]:
        before = self._writer.assign(entity_id, assignments)
        return [change_of(before[each.experiment_id], each) for each in assignments]


def change_of(before: T | None, after: T) -> Change:
    """Return what replacing `before` by `after` changed."""
    if before is None:
        return Change.NEW
    return Change.UNCHANGED if before == after else Change.CHANGED
