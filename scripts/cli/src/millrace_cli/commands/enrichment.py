"""`millrace assignments load` and `millrace experiments load`: what enrich looks up."""

from typing import Annotated, TypeVar

import typer

from millrace_cli import assignments, experiments, render
from millrace_cli.loading import Keyed, Loaded, LoadSource, Store, load
from millrace_cli.mapping import parse_rules
from millrace_cli.options import AsJson, Target
from millrace_cli.put import check
from millrace_cli.reporting import OneLineGroup, print_json, reported
from millrace_cli.row_options import Format
from millrace_cli.rows import RowFormat

assignments_app = typer.Typer(
    cls=OneLineGroup, help="Which entity is in which experiments.", no_args_is_help=True
)
experiments_app = typer.Typer(
    cls=OneLineGroup, help="What is known of experiments.", no_args_is_help=True
)

Entry = TypeVar("Entry", bound=Keyed)
File = Annotated[str, typer.Argument(help="NDJSON, JSON array or CSV, plain or gzip; - for stdin.")]
Skip = Annotated[
    int, typer.Option(min=0, help="Leave out the first N rows: resume an interrupted load.")
]
Maps = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="FIELD=COLUMN",
        help="Name the columns: entity_id=user, variant=const:A. Several in one option, or the "
        "option several times. Columns that are not named are then left out.",
    ),
]


@assignments_app.callback()
def _assignments() -> None:
    """Which entity is in which experiments."""


@experiments_app.callback()
def _experiments() -> None:
    """What is known of experiments."""


@assignments_app.command("load")
@reported
def load_assignments(
    file: File,
    *,
    maps: Maps = None,
    row_format: Format = RowFormat.AUTO,
    skip: Skip = 0,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Store the assignments in FILE: entity_id, experiment_id, variant, assigned_at.

    A file is checked whole before its first row is stored. The same file again changes nothing;
    a row for an entity and experiment that are there replaces variant and time. Events that were
    enriched before keep what they have.
    """
    entry_of = assignments.entry_reader(parse_rules(maps or (), assignments.FIELDS))
    source = LoadSource(file, entry_of, row_format, skip)
    total = check(source, noun="assignment", done="stored")
    table = assignments.AssignmentTable(target.load())
    _load(source, table, total, as_json=as_json)


@experiments_app.command("load")
@reported
def load_experiments(
    file: File,
    *,
    maps: Maps = None,
    row_format: Format = RowFormat.AUTO,
    skip: Skip = 0,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Store the experiments in FILE: experiment_id, and any other columns as its metadata.

    A file is checked whole before its first row is stored. The same file again changes nothing;
    an experiment that is there is replaced, metadata and all.
    """
    entry_of = experiments.entry_reader(parse_rules(maps or (), experiments.FIELDS))
    source = LoadSource(file, entry_of, row_format, skip)
    total = check(source, noun="experiment", done="stored")
    table = experiments.ExperimentTable(target.load())
    _load(source, table, total, as_json=as_json)


def _load(
    source: LoadSource[Entry], table: Store[Entry], total: int | None, *, as_json: bool
) -> None:
    loaded = Loaded()
    with render.counting_bar("Storing", total, quiet=as_json) as show:
        loaded.listeners.append(show)
        load(source, table, loaded)
    if as_json:
        print_json(loaded.as_dict())
    else:
        render.show_loaded(loaded)
