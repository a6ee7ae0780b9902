from dataclasses import replace
from datetime import UTC, datetime

import pytest

from millrace.aggregates import AggregateKey, AggregateRow, Dimension, Scope, Version
from millrace.aws.aggregates import scope_key
from millrace.replay.difference import Comparison, Verdict
from millrace.replay.operations import ReplayStatus
from millrace.replay.progress import Progress, SkippedEvent
from millrace.windows import WindowWidth, window_of
from millrace_cli.replay_following import Reading
from millrace_cli.replay_progress import following_bar
from millrace_cli.tables.replay import show_diff, show_plan, show_replays, show_started, show_status
from millrace_testing.replays import audit_entry, replay_plan, replay_record

ID = "1795252176-3b051d31"
AT = datetime(2025, 12, 28, 9, tzinfo=UTC)
LONG = Scope.of(
    Dimension.ENTITY, "somebody-with-a-name-of-more-than-forty-characters-in-all@example"
)


@pytest.fixture(autouse=True)
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal of 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")


def row(scope: Scope, value: int, version: str) -> AggregateRow:
    window = window_of(AT, WindowWidth.HOUR)
    key = AggregateKey(scope, window, "event_count", Version(version))
    return AggregateRow(key, value, value, 7, (), f"defs-of-{version}", AT)


def comparison(verdict: Verdict, live: int, replayed: int, **fields: object) -> Comparison:
    sides = row(LONG, live, "live"), row(LONG, replayed, "1795252176")
    return replace(Comparison(sides[1].key, *sides, verdict), **fields)


def test_the_ids_of_replays_are_whole_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The id is what the next commands ask for: other columns fold for it."""
    show_replays([replay_record(ID, reason="x" * 80)])
    assert sum(ID in line for line in capsys.readouterr().out.splitlines()) == 1


def test_a_started_replay_says_how_to_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that comes next is printed with the id in it, and the version to read."""
    show_started(replay_record(ID, version="1795252176"))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert f"follow it with: millrace replay wait {ID}" in lines
    assert "version  1795252176" in lines


def test_a_plan_that_selects_nothing_has_no_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    """It says where to look instead."""
    show_plan(replay_plan())
    assert "millrace replay apply" not in (shown := capsys.readouterr().out)
    assert "nothing is selected" in shown


def test_skipped_events_can_be_copied(capsys: pytest.CaptureFixture[str]) -> None:
    """Id, reason and place stand whole; after twenty the rest is counted."""
    place = "raw/dt=2025-12-28/hour=09/shardId-000000000000-" + "4" * 56 + ".ndjson.gz@0:17"
    skipped = [SkippedEvent(place, f"id-{n}", "object_missing", "it is gone") for n in range(23)]
    status = ReplayStatus(replay_record(ID), Progress(0, 0, 23), skipped, [audit_entry()])
    show_status(status)
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines.count(place) == 20
    assert "skipped id-19: object_missing" in lines
    assert "and 3 more: --json lists them" in lines


def test_scopes_and_ids_of_a_diff_are_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """However long, on lines of their own; rows say both values and why they differ."""
    ids = tuple(f"{'long' * 12}-{n}" for n in range(3))
    rows = [comparison(Verdict.INPUTS, 12_345, 12_342, only_live=ids)]
    show_diff(rows, rows)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == scope_key(LONG)
    assert f"   only in live: {', '.join(ids)}" in lines
    assert lines[1].split() == ["window", "metric", "live", "replayed", "why"]
    assert lines[2].split(maxsplit=4) == [
        "2025-12-28T09", "event_count", "12,345", "12,342", "inputs: 3 more in live"
    ]  # fmt: skip
    assert max(map(len, lines[1:3])) <= 80
    assert lines[-1] == "1 inputs"


def test_a_diff_names_the_definitions_that_differ(capsys: pytest.CaptureFixture[str]) -> None:
    """Once, however many rows they changed."""
    rows = [comparison(Verdict.LOGIC, 5, 3), comparison(Verdict.LOGIC, 6, 3)]
    show_diff(rows, rows)
    said = "logic: live counted by definitions defs-of-live, the replay by defs-of-1795252176"
    assert capsys.readouterr().out.splitlines().count(said) == 1


def test_a_replay_that_counted_nothing_has_no_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """As after a dry run."""
    show_diff([], [])
    assert capsys.readouterr().out == "no rows: the replay has counted nothing\n"


def test_without_a_terminal_each_remark_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of a long wait holds what matters, not a line for each look."""
    slowed = ReplayStatus(replay_record(ID, slowed_because="live lag"), Progress(0, 0, 0), (), ())
    with following_bar(quiet=False) as show:
        for still_s in (0, 70, 80):
            show(Reading(slowed, still_s))
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(":")[0].partition(" for ")[0] for line in said] == [
        "slowed",
        "nothing has moved",
    ]
