"""`millrace replay promote`: live takes a replay's values, and gives them back."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import typer

from millrace.audit import Operation, Tally, audited
from millrace.clock import SystemClock
from millrace.replay.promotion import (
    Allowance,
    Operator,
    Outcome,
    OutcomeKind,
    planned,
    planned_back,
)
from millrace.times import whole_ms
from millrace_cli import replay_progress, replay_tables
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import Reason, audit_log, operator, stated_reason
from millrace_cli.options import AsJson, Target
from millrace_cli.replay import Replays, asked
from millrace_cli.replay_fields import outcome_fields
from millrace_cli.replay_options import ReplayId
from millrace_cli.reporting import print_json, reported


@dataclass(frozen=True, slots=True)
class _Change:
    """What is to be done to live's rows."""

    operation: str
    rows: Sequence[Outcome]
    """As they would become."""
    run: Callable[[Operator], Iterable[Outcome]]

    @property
    def to_do(self) -> int:
        """How many rows change."""
        return sum(each.kind is OutcomeKind.PLANNED for each in self.rows)


@reported
def promote_command(
    replay_id: ReplayId,
    *,
    undo: Annotated[
        bool, typer.Option("--undo", help="Give live back what it said before.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the rows; change none.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before rows change.")] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Rows that the replay did not select whole, too.")
    ] = False,
    replay_only: Annotated[
        bool, typer.Option("--replay-only", help="Rows of metrics that live lacks, too.")
    ] = False,
    skipped: Annotated[
        bool, typer.Option("--skipped", help="Although the replay skipped some events.")
    ] = False,
    reason: Reason = "",
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Have live take the replayed values, row by row, where live is still what was compared."""
    environment = target.load()
    replays = Replays.of(environment)
    said = reason if dry_run else stated_reason(environment, reason)
    with (
        asked("read what was promoted" if undo else "compare the replay"),
        replay_progress.events_progress("comparing with live", "compared", quiet=as_json),
    ):
        change = (
            _undoing(replays, replay_id)
            if undo
            else _promoting(replays, replay_id, Allowance(partial, replay_only, skipped))
        )
    if dry_run or not change.to_do:
        _show(change.rows, as_json=as_json)
        return
    _confirm(change, yes=yes, as_json=as_json)
    clock = SystemClock()
    by = Operator(operator(), said, whole_ms(clock.now()))
    operation = Operation(change.operation, replay_id, by.who, said)
    with (
        asked(change.operation.replace(".", " ")),
        audited(audit_log(environment), clock, operation) as tally,
    ):
        outcomes = _carried_out(change, by, tally, quiet=as_json)
    _show(outcomes, as_json=as_json)
    _end(replay_id, outcomes)


def _promoting(replays: Replays, replay_id: str, allowance: Allowance) -> _Change:
    choices = replays.promoting.choices(replay_id, allowance)
    return _Change(
        "replay.promote",
        [planned(each) for each in choices],
        lambda by: replays.promoting.promote(replay_id, choices, by),
    )


def _undoing(replays: Replays, replay_id: str) -> _Change:
    standing = replays.promoting.standing(replay_id)
    return _Change(
        "replay.undo-promote",
        [planned_back(each) for each in standing],
        lambda by: replays.promoting.undo(replay_id, standing, by),
    )


def _confirm(change: _Change, *, yes: bool, as_json: bool) -> None:
    if yes:
        return
    if as_json or not sys.stdin.isatty():
        raise CommandError(
            f"{change.to_do:,} rows of live would change, and nobody can be asked",
            "say --yes, or look at them with --dry-run",
            ExitCode.USAGE,
        )
    _show(change.rows, as_json=False)
    if not typer.confirm(f"Change {change.to_do:,} rows of live?", err=True):
        raise CommandError("nothing was changed")


def _carried_out(change: _Change, by: Operator, tally: Tally, *, quiet: bool) -> list[Outcome]:
    outcomes: list[Outcome] = []
    with replay_progress.rows_progress(len(change.rows), quiet=quiet) as tell:
        for outcome in change.run(by):
            outcomes.append(outcome)
            tally.add(outcome.kind.value)
            tell(len(outcomes))
    return outcomes


def _show(outcomes: Sequence[Outcome], *, as_json: bool) -> None:
    if as_json:
        print_json([outcome_fields(each) for each in outcomes])
    else:
        replay_tables.show_outcomes(outcomes)


def _end(replay_id: str, outcomes: Sequence[Outcome]) -> None:
    refused = sum(each.kind is OutcomeKind.REFUSED for each in outcomes)
    if refused:
        raise CommandError(
            f"{refused:,} of {len(outcomes):,} rows were refused, and are as they were",
            f"compare again: millrace replay diff {replay_id}",
        )
