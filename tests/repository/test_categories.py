"""The categories of tests: what counts, and what is refused."""

from categories import AT_LEAST, functions_by_category, shortages


def test_every_category_has_its_least() -> None:
    """A suite with exactly the least of each is enough; one fewer of any is named."""
    assert shortages(AT_LEAST) == []
    for category, least in AT_LEAST.items():
        (problem,) = shortages({**AT_LEAST, category: least - 1})
        assert problem == f"{least - 1} tests are marked {category}, {least} are the least"
    assert len(shortages({})) == len(AT_LEAST)


def test_a_function_counts_once() -> None:
    """However many cases a test has, it is one test; unmarked tests count nowhere."""

    class Case:
        def __init__(self, nodeid: str, *categories: str) -> None:
            self.nodeid = nodeid
            self.categories = categories

        def get_closest_marker(self, name: str) -> str | None:
            return name if name in self.categories else None

    cases = [
        Case("a.py::one[1]", "parsing"),
        Case("a.py::one[2]", "parsing", "batch"),
        Case("a.py::two", "parsing"),
        Case("b.py::one"),
    ]
    assert functions_by_category(cases) == {"parsing": 2, "batch": 1}
