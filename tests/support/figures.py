"""What tests measured, printed at the end of a run: also when several processes ran it."""

from collections.abc import Callable

import pytest

_PROPERTY = "figure"
_kept: list[tuple[str, str]] = []
"""The test and the line, in the order in which tests ended."""


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a line for the end of the run: figures with their units, and of what they are."""

    def keep(line: str) -> None:
        request.node.user_properties.append((_PROPERTY, line))

    return keep


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take the lines from the report, which comes from whatever process ran the test."""
    if report.when == "call":
        name = report.location[2]
        _kept.extend((name, str(line)) for key, line in report.user_properties if key == _PROPERTY)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print all lines, each below the name of its test."""
    if _kept:
        terminalreporter.section("figures")
    test = None
    for name, line in _kept:
        if name != test:
            terminalreporter.write_line(name)
        terminalreporter.write_line(f"  {line}")
        test = name
