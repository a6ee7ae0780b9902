"""Tests by category: counted at the end of each run, and enough of each in the whole suite.

A test function counts once, however many parameters it has.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

AT_LEAST: Mapping[str, int] = {
    "parsing": 8,
    "validation": 12,
    "enrichment": 8,
    "aggregation": 10,
    "archival": 10,
    "batch": 10,
    "e2e": 12,
}
_WHOLE = "whole_suite"
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
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Count before `-m` and `-k` leave anything out; refuse a whole suite that is short of any."""
    lacking = shortages(functions_by_category(items))
    if not lacking or not _is_whole_suite(config):
        return
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError("; ".join(lacking))
    # One of several processes: it has nothing to do, and says why to the one that started it.
    items.clear()
    session.shouldfail = "; ".join(lacking)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell a process what was asked for: it is called with all paths by name."""
    node.workerinput[_WHOLE] = _is_whole_suite(node.config)


def _is_whole_suite(config: pytest.Config) -> bool:
    if hasattr(config, "workerinput"):
        return bool(config.workerinput[_WHOLE])
    return config.args_source is pytest.Config.ArgsSource.TESTPATHS


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
