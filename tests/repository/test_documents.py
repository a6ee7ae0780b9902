"""Documents name only what exists, and decisions say all that a decision must."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_CODE_BLOCK = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
_MAKE_COMMAND = re.compile(r"(?:^|[`;&(]|\s)make ((?:[a-z][a-z-]*[ \t]*)+)")
_MAKE_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
# Patterns, variables and addresses: not the name of one file.
_NO_FILE = re.compile(r"[<>*{}$=…]|://|\.\.\.")
_DOCUMENT = re.compile(r"\bdocs/[\w-]+/[\w-]+\.md\b")
_TEST = re.compile(r"`([\w/.-]+\.py)::(\w+)`")
_ADR_SECTIONS = ("Context", "Decision", "Consequences")


@pytest.fixture(scope="session")
def top_folders(files: tuple[Path, ...]) -> frozenset[str]:
    return frozenset(path.parts[0] for path in files if len(path.parts) > 1)


def test_every_path_in_a_code_span_exists(
    root: Path, documents: dict[Path, str], top_folders: frozenset[str]
) -> None:
    """A path that a document names, from the root or beside the document, exists."""
    missing = [
        f"{document}: {span}"
        for document, text in documents.items()
        for span in _paths(text, top_folders)
        if not ((root / span).exists() or (root / document.parent / span).exists())
    ]
    assert not missing


def test_every_test_named_in_a_document_exists(root: Path, documents: dict[Path, str]) -> None:
    """`path/to/test_file.py::test_name` names a function of that file."""
    named = [
        (document, *reference)
        for document, text in documents.items()
        for reference in _TEST.findall(text)
    ]
    missing = [
        f"{document}: {path}::{test}"
        for document, path, test in named
        if f"def {test}(" not in (root / path).read_text("utf-8")
    ]
    assert named
    assert not missing


def test_every_relative_link_leads_somewhere(root: Path, documents: dict[Path, str]) -> None:
    """A relative link in a document leads to a file or folder of the repository."""
    missing = [
        f"{document}: {target}"
        for document, text in documents.items()
        for target in _LINK.findall(_CODE_BLOCK.sub("", text))
        if "://" not in target
        and not target.startswith("mailto:")
        and not (root / document.parent / target).exists()
    ]
    assert not missing


def test_every_document_named_in_a_file_exists(root: Path, files: tuple[Path, ...]) -> None:
    """A document that code, Terraform or a settings file refers to exists."""
    missing = [
        f"{path}: {document}"
        for path in files
        for document in _DOCUMENT.findall((root / path).read_text("utf-8", errors="replace"))
        if not (root / document).is_file()
    ]
    assert not missing


def test_every_make_target_exists(root: Path, documents: dict[Path, str]) -> None:
    """A make target that a document names, in a code span or block, is in the Makefile."""
    targets = set(_MAKE_TARGET.findall((root / "Makefile").read_text("utf-8")))
    missing = [
        f"{document}: make {name}"
        for document, text in documents.items()
        for name in _make_targets(text)
        if name not in targets
    ]
    assert not missing


def test_every_make_target_is_explained(root: Path) -> None:
    """`make help` has a line for each target."""
    makefile = (root / "Makefile").read_text("utf-8")
    explained = set(re.findall(r"^([a-z][a-z-]*):.*## \S", makefile, re.MULTILINE))
    assert set(_MAKE_TARGET.findall(makefile)) == explained


def test_every_decision_has_its_three_parts(
    documents: dict[Path, str], files: tuple[Path, ...]
) -> None:
    """An ADR is numbered, and has context, decision and consequences, none of them empty."""
    decisions = [path for path in files if path.parent == Path("docs/adr") and path.suffix == ".md"]
    faults = [
        f"{path}: {section}"
        for path in decisions
        for section in _ADR_SECTIONS
        if not re.search(rf"^## {section}\s*\n+(?!#)\S", documents[path], re.MULTILINE)
    ]
    faults += [str(path) for path in decisions if not re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name)]
    assert decisions
    assert not faults


def test_decisions_are_numbered_without_gap_or_double(files: tuple[Path, ...]) -> None:
    """ADR numbers run from 1, each once."""
    numbers = [int(path.name[:4]) for path in files if path.parent == Path("docs/adr")]
    assert numbers == list(range(1, len(numbers) + 1))


def _paths(text: str, top_folders: frozenset[str]) -> Iterator[str]:
    """Find what is written as a path below one of the repository's folders."""
    for span in _CODE_SPAN.findall(_CODE_BLOCK.sub("", text)):
        for word in re.split(r"[\s,;]+", span):
            first = word.partition("/")[0]
            if "/" in word and first in top_folders and not _NO_FILE.search(word):
                yield word.partition("::")[0].rstrip(".:)")


def _make_targets(text: str) -> Iterator[str]:
    code = [*_CODE_BLOCK.findall(text), *_CODE_SPAN.findall(_CODE_BLOCK.sub("", text))]
    for piece in code:
        for line in piece.splitlines():
            for words in _MAKE_COMMAND.findall(f"{line.partition('#')[0]}"):
                yield from words.split()
