"""`make bench`: cases are found, named wrongly they are refused, ratios are of the same run."""

import pytest
import typer
from typer.testing import CliRunner

from millrace_bench.__main__ import main
from millrace_bench.figure import Figure, ratio
from millrace_bench.live_traffic import Lags
from millrace_bench.registry import UnknownCase, all_cases, chosen


def test_each_module_is_a_case_with_a_line_about_it():
    """A module put into `cases` is run by `make bench` without being listed anywhere."""
    cases = all_cases()
    assert "parsing" in cases
    assert all(case.what and "\n" not in case.what for case in cases.values())


def test_an_unknown_case_is_refused_with_those_there_are():
    """A typing error measures nothing and says what can be measured."""
    with pytest.raises(UnknownCase, match=r"no case 'parsng'.*parsing"):
        chosen(["parsng"])


def test_a_figure_is_shown_as_a_multiple_of_the_one_it_names():
    """Ratios are formed within one run only."""
    base, other = Figure("plain", 200, "events/s"), Figure("ours", 50, "events/s", against="plain")
    assert ratio(other, [base, other]) == 0.25
    assert ratio(base, [base, other]) is None


def test_a_figure_cannot_be_compared_with_one_that_is_not_there():
    """A ratio against nothing is an error of the case, not a number."""
    figure = Figure("ours", 50, "events/s", against="plain")
    with pytest.raises(ValueError, match="no figure 'plain'"):
        ratio(figure, [figure])


def test_the_list_names_every_case():
    """`--list` says what there is without measuring."""
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--list"])
    assert result.exit_code == 0
    assert "parsing" in result.stdout


def test_a_percentile_is_a_lag_that_some_event_had():
    """Nearest rank, in seconds: so many percent of the events were no slower."""
    lags = Lags([1000 * n for n in range(1, 201)])
    assert [lags.percentile_s(percent) for percent in (0, 50, 99, 100)] == [1, 100, 198, 200]
    assert Lags([2500]).percentile_s(99) == 2.5
