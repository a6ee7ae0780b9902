"""docs/event-source-mapping.md names a page and a test for each rule, and both are true."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs/event-source-mapping.md"
GOLDEN = "scripts/mapping/tests/test_golden_schedules.py"
_ROW = re.compile(r"^\| (?P<rule>[^|]+) \| \[[^]]+\]\((?P<page>[^)]+)\) \| (?P<test>[^|]+) \|$")
_TEST = re.compile(r"(?:golden|`(?P<file>[^`]+\.py)`) `(?P<name>test_\w+)`")


def rows() -> list[tuple[str, str, str]]:
    """Return page, file and test of each rule."""
    matches = [row for line in DOCUMENT.read_text().splitlines() if (row := _ROW.match(line))]
    tests = [(row["page"], _TEST.fullmatch(row["test"].strip())) for row in matches]
    return [(page, test["file"] or GOLDEN, test["name"]) for page, test in tests if test]


@cache
def texts(file: str) -> dict[str, str]:
    """Return what each test of a file may cite its page in: its docstring, or its module's."""
    module = ast.parse((ROOT / file).read_text())
    own = ast.get_docstring(module) or ""
    tests = [node for node in module.body if isinstance(node, ast.FunctionDef)]
    return {test.name: f"{own}\n{ast.get_docstring(test) or ''}" for test in tests}


def test_every_rule_has_a_page_and_a_test():
    """No row of the tables is without either."""
    table_rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    rules = [line for line in table_rows if not line.startswith(("| Rule |", "| --- |"))]
    assert len(rules) == len(rows()) > 50


@pytest.mark.parametrize(("page", "file", "name"), rows(), ids=lambda value: value.split("/")[-1])
def test_the_named_test_exists_and_cites_the_page(page, file, name):
    """A rule is shown where the document says, for the page that it comes from."""
    assert name in texts(file)
    assert page in texts(file)[name]


def test_every_golden_schedule_is_a_rule_of_the_document():
    """A rule that is tested is also told."""
    named = {name for _, file, name in rows() if file == GOLDEN}
    assert {name for name in texts(GOLDEN) if name.startswith("test_")} == named
