"""What a person sees of an investigation's answers."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from millrace.commit import Owner
from millrace.investigate.duplicates import DuplicateReport, Rate, Repetition
from millrace.investigate.gaps import GapReport, Silence, Subject
from millrace.investigate.lag import LagReport, LagRow, Quantiles, StageRow
from millrace.investigate.late import LateEvent, LateReport, changed_windows
from millrace.investigate.lines import Arrival
from millrace.investigate.quiet import QuietHour
from millrace.investigate.rhythm import Interval
from millrace.investigate.sources import SourceReport, SourceRow
from millrace.investigate.walking import Coverage, Period
from millrace.lag import histogram
from millrace.read_cost import Bound
from millrace.times import to_epoch_ms
from millrace_cli.main import app
from millrace_cli.tables.duplicates import show_duplicates
from millrace_cli.tables.gaps import show_gaps
from millrace_cli.tables.lag import show_lag
from millrace_cli.tables.late import show_late
from millrace_cli.tables.shapes import duration
from millrace_cli.tables.sources import show_sources
from millrace_testing.builders import ARRIVAL

PERIOD = Period(ARRIVAL - timedelta(hours=2), ARRIVAL)
WHOLE = Coverage(PERIOD, 7)
PART = Coverage(PERIOD, 7, Bound.PAGES, "WzFd")
LAG = Quantiles(3, histogram([100, 90_000, 7_200_000]))


def shown(show: Callable[[Console, Any], None], answer: object, width: int = 200) -> str:
    out = StringIO()
    show(Console(file=out, width=width), answer)
    return out.getvalue()


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (None, "-"), (0, "0 ms"), (850, "850 ms"), (12_340, "12.3 s"), (250_000, "4 min 10 s"),
        (11_100_000, "3 h 05 min"), (200_000_000, "2 d 7 h"), (-1_500, "-1.5 s"),
    ],
)  # fmt: skip
def test_durations_are_said_as_people_say_them(ms: float | None, said: str) -> None:
    """In the two units that matter."""
    assert duration(ms) == said


def test_lag_is_drawn_by_magnitude_source_and_hour() -> None:
    """Bars over the distribution and the hours; the steps of the pipeline below."""
    rows = tuple(LagRow("web", "view", hour, LAG) for hour in ("2025-12-28T08", "2025-12-28T09"))
    stages = (StageRow("arrival -> committed", LAG, 4),)
    text = shown(show_lag, LagReport(WHOLE, rows, stages))
    assert "█" in text
    for said in ("7 commits", "web", "By hour", "2025-12-28T09", "arrival -> committed", "waiting"):
        assert said in text, said
    assert "period is one of arrivals" in shown(show_lag, LagReport(WHOLE, (), ()))


def test_an_answer_in_part_says_how_to_go_on() -> None:
    """What ended it, and the cursor."""
    text = shown(show_duplicates, DuplicateReport(PART, (), Quantiles(0, {}), (), (), 0))
    assert "its pages ran out" in text
    assert "--cursor WzFd" in text


def test_copies_are_listed_with_what_is_left_out() -> None:
    """Ids from outside stand there as they are, whatever they hold."""
    copy = Repetition(
        Arrival("[red]x", "web", "view", "user/[1]", ARRIVAL, ARRIVAL),
        Owner("s", 1, 0),
        1_000,
        conflict=True,
    )
    rate = Rate("web", "view", 100, 5, 1)
    told = DuplicateReport(WHOLE, (rate,), LAG, (("user/[1]", 5),), (copy,), 1)
    text = shown(show_duplicates, told)
    for said in ("5.00 %", "[red]x", "user/[1] (5)", "another", "3 more", "1 have no raw object"):
        assert said in text, said
    assert "Nothing came again" in shown(
        show_duplicates, DuplicateReport(WHOLE, (), Quantiles(0, {}), (), (), 0)
    )


def test_late_events_come_with_the_windows() -> None:
    """Hours and days that had closed."""
    arrival = Arrival("e", "web", "view", "user_1", ARRIVAL - timedelta(hours=5), ARRIVAL)
    event = LateEvent(arrival, 18_000_000, duplicate=False)
    counts = (("web", "view", 10, 3), ("punctual", "view", 10, 0))
    told = LateReport(WHOLE, counts, LAG, changed_windows([event]), (event,), 1)
    text = shown(show_late, told)
    for said in ("HOUR#2025-12-28T04", "5 h 00 min", "1 more", "cannot be named"):
        assert said in text, said
    assert "punctual" not in text
    nothing = LateReport(WHOLE, (), Quantiles(0, {}), (), (), 0)
    assert "Nothing came late" in shown(show_late, nothing)


def test_sources_come_with_their_reasons() -> None:
    """The numbers that make one a problem, and why its records were rejected."""
    row = SourceRow(
        "web", 100, 80, 10, 1, 10, 5, LAG, ARRIVAL, (("not_json", 10),), 120.0
    )  # fmt: skip
    text = shown(show_sources, SourceReport(WHOLE, (row,), 2))
    for said in ("25.00 %", "2 min 00 s", "not_json (10)", "2 quarantine objects are gone"):
        assert said in text, said
    narrow = shown(show_sources, SourceReport(WHOLE, (row,), 0), 80)
    assert "2 min 00 s" in narrow
    long = shown(show_sources, SourceReport(WHOLE, (replace(row, source="warehouse-eu"),), 0), 80)
    assert "warehouse-eu " in long
    assert "web" in narrow
    assert "Nothing arrived then" in shown(show_sources, SourceReport(WHOLE, (), 0))


def test_silences_come_with_what_is_usual() -> None:
    """And quiet hours; one that goes on is marked."""
    begin = to_epoch_ms(ARRIVAL)
    silence = Silence(Interval(begin, begin + 7_200_000, 41.5, open=True), 0.0004)
    subject = Subject(entity_id="user_1")
    told = GapReport(
        subject, PERIOD, ARRIVAL, 900, None, (silence,), (QuietHour(begin, 2, 40.0, 0.001),),
        ended_by=Bound.TIME, covered_to=ARRIVAL,
    )  # fmt: skip
    text = shown(show_gaps, told)
    for said in (
        ", still",
        "2 h 00 min",
        "41.5",
        "0.0004",
        "quiet hour",
        "--from 2025-12-28T09:30",
    ):
        assert said in text, said
    nothing = GapReport(subject, PERIOD, ARRIVAL, 900, None, (), ())
    assert "No silence" in shown(show_gaps, nothing)
    noted = GapReport(subject, PERIOD, ARRIVAL, 9, None, (), (), "too few")
    assert "No silence" not in shown(show_gaps, noted)


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("gaps",), "--entity"),
        (("gaps", "--entity", "a", "--source", "b"), "not both"),
        (("gaps", "--source", "b", "--longer-than", "soon"), "--longer-than 'soon'"),
        (("gaps", "--source", "b", "--history", "x"), "--history 'x'"),
        (("lag", "--from", "2025-12-28", "--to", "2025-12-28"), "--to is not after --from"),
        (("late", "--from", "yesterday"), "--from 'yesterday'"),
        (("sources", "--max-pages", "0"), "--max-pages"),
        (("duplicates", "--deadline", "0"), "--deadline"),
    ],
)
def test_wrong_questions_are_refused_before_anything_is_read(
    arguments: tuple[str, ...], named: str
) -> None:
    """The option and the remedy, in one line, exit code 2, without any engine."""
    done = CliRunner().invoke(app, [*arguments, "--engine", "surely-not-there"])
    assert done.exit_code == 2
    assert named in done.output
