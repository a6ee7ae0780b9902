"""Which tests count towards the coverage: those that stand beside the code it is about.

A line of `shared` or `services` is covered when a test of its own has run it; what a command's or
an end-to-end test happens to run on its way counts for nothing. Nor does a long exploration
(`exhaustive`: crash points, schedules, real days) whose lines shorter tests cover. The tracer is
off there: it took two fifths of their processor time.
"""

from collections.abc import Generator

import pytest
from coverage import Coverage

_MEASURED = frozenset({"services", "shared"})
_UNMEASURED = "exhaustive"


def is_measured(item: pytest.Item) -> bool:
    """Tell whether what a test runs counts as covered."""
    folder = item.path.relative_to(item.config.rootpath).parts[0]
    return folder in _MEASURED and item.get_closest_marker(_UNMEASURED) is None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop measuring while a test runs that does not count, with the fixtures that it makes."""
    coverage = Coverage.current()
    if coverage is None or is_measured(item):
        return (yield)
    coverage.stop()
    try:
        return (yield)
    finally:
        coverage.start()
