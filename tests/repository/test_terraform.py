"""The Terraform code: each rule that a module has is one that a test has seen at work."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

# `terraform fmt` (part of the check) puts a block's own closing brace at the block's own column.
_BLOCK = re.compile(
    r'^(?P<kind>\w+)(?P<labels>(?: "\w+")*) \{\n(?P<body>.*?)^\}', re.MULTILINE | re.DOTALL
)
_RULE = re.compile(r"^ +(?:validation|precondition|postcondition) \{$", re.MULTILINE)
_EXPECTED = re.compile(r"^  expect_failures = \[(?P<names>[^\]]*)\]", re.MULTILINE)


def _modules(files: tuple[Path, ...]) -> list[Path]:
    return sorted({path.parent for path in files if path.match("terraform/*/*/variables.tf")})


def _rules(folder: Path) -> Iterator[str]:
    """Yield the address of each validation's variable and of each condition's resource."""
    for file in sorted(folder.glob("*.tf")):
        for block in _BLOCK.finditer(file.read_text()):
            labels = re.findall(r'"(\w+)"', block["labels"])
            address = ".".join(["var" if block["kind"] == "variable" else "", *labels]).lstrip(".")
            yield from [address] * len(_RULE.findall(block["body"]))


def _refusals(folder: Path) -> Iterator[str]:
    """Yield, for each run that expects a failure, what it expects to fail."""
    for file in sorted(folder.glob("tests/*.tftest.hcl")):
        for run in _BLOCK.finditer(file.read_text()):
            for expected in _EXPECTED.finditer(run["body"]):
                yield from (name.strip() for name in expected["names"].split(","))


def test_every_validation_is_seen_to_refuse(root: Path, files: tuple[Path, ...]) -> None:
    """A variable (or resource) has at least as many refusal tests as it has rules."""
    lacking = []
    for module in _modules(files):
        refusals = Counter(_refusals(root / module))
        for address, rules in Counter(_rules(root / module)).items():
            if refusals[address] < rules:
                lacking.append(f"{module}: {address} has {rules} rules, {refusals[address]} tests")
    assert not lacking, "\n".join(lacking)


def test_every_variable_is_typed_described_and_never_null(
    root: Path, files: tuple[Path, ...]
) -> None:
    """No variable of any module or environment lacks its type, its description, `nullable`."""
    lacking = [
        f"{module}:{block['labels']} has no {word}"
        for module in _modules(files)
        for file in sorted((root / module).glob("variables*.tf"))
        for block in _BLOCK.finditer(file.read_text())
        for word in ("description", "type", "nullable")
        if not re.search(rf"^  {word} +=", block["body"], re.MULTILINE)
    ]
    assert not lacking, "\n".join(lacking)


@pytest.mark.parametrize("rules", [1, 2])
def test_a_rule_without_a_test_is_found(tmp_path: Path, rules: int) -> None:
    """The count itself: one refusal is enough for one rule and too few for two."""
    rule = "  validation {\n    condition = true\n  }\n"
    (tmp_path / "variables.tf").write_text(f'variable "size" {{\n{rule * rules}}}\n')
    (tmp_path / "tests").mkdir()
    run = 'run "refuses" {\n  command = plan\n\n  expect_failures = [var.size]\n}\n'
    (tmp_path / "tests/refusals.tftest.hcl").write_text(run)
    assert Counter(_rules(tmp_path)) == {"var.size": rules}
    assert Counter(_refusals(tmp_path)) == {"var.size": 1}


def test_an_environments_root_is_thin(root: Path) -> None:
    """A provider, a backend, one module call and its outputs: 40 lines at most."""
    roots = sorted((root / "terraform/envs").glob("*/main.tf"))
    assert {path.parent.name for path in roots} >= {"dev", "local", "prod"}
    for path in roots:
        text = path.read_text()
        kinds = [block["kind"] for block in _BLOCK.finditer(text)]
        assert set(kinds) <= {"terraform", "provider", "module", "output"}, path
        assert kinds.count("module") == 1, path
        assert len(text.splitlines()) <= 40, path
