"""Tests by category: counted at the end of each run, and enough of each in the whole suite.

A test function counts once, however many parameters it has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Protocol

import pytest

AT_LEAST: Mapping[str, int] = {
    "parsing": 8,
    "validation": 12,
    "enrichment": 8,
    "aggregation": 10,
    "archival": 10,
    "batch": 10,
    "e2e": 12,
}
_ended: dict[str, set[str]] = defaultdict(set)
"""The categories of each test function that came to its end."""


class Marked(Protocol):
    """A collected test."""

    @property
    def nodeid(self) -> str:
        """Where it stands, and with which parameters."""
        ...

    def get_closest_marker(self, name: str) -> object | None:
        """Return the marker of that name, if there is one."""
        ...


def functions_by_category(items: Iterable[Marked]) -> Counter[str]:
    """Return how many test functions are marked with each category."""
    functions: dict[str, set[str]] = defaultdict(set)
    for item in items:
        for category in AT_LEAST:
            if item.get_closest_marker(category):
                functions[category].add(_function_of(item.nodeid))
    return Counter({category: len(names) for category, names in functions.items()})


def shortages(counts: Mapping[str, int]) -> list[str]:
    """Return a sentence for each category that has fewer tests than it must."""
    return [
        f"{counts.get(category, 0)} tests are marked {category}, {least} are the least"
        for category, least in AT_LEAST.items()
        if counts.get(category, 0) < least
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Count before `-m` and `-k` leave anything out; refuse a whole suite that is short of any."""
    counts = functions_by_category(items)
    if config.args_source is pytest.Config.ArgsSource.TESTPATHS and shortages(counts):
        raise pytest.UsageError("; ".join(shortages(counts)))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Remember which categories' tests came to an end."""
    if report.when == "call":
        _ended[_function_of(report.nodeid)] |= AT_LEAST.keys() & report.keywords.keys()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many test functions of each category were run."""
    ran = Counter(category for categories in _ended.values() for category in categories)
    if ran:
        counts = ", ".join(f"{ran[category]} {category}" for category in AT_LEAST)
        terminalreporter.write_line(f"tests by category: {counts}")


def _function_of(nodeid: str) -> str:
    return nodeid.partition("[")[0]
