"""A command that a document or a message tells somebody to run is one that exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from millrace_cli.main import app

_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_CODE_BLOCK = re.compile(r"^\s*```\w*.*?\n(.*?)^\s*```", re.MULTILINE | re.DOTALL)
_COMMAND = re.compile(r"(?:^|[|;&(])\s*(?:\$ )?(?:[A-Z_]+=\S* )*(?:\.venv/bin/)?millrace (.*)$")
_END = re.compile(r"\s#.*$|[|;&)>].*$")
_MAKE_TARGET = re.compile(r"^([a-z][a-z-]*):", re.MULTILINE)
_MAKE = re.compile(r"make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
_SOURCES = {".py", ".sh", ".tf", ".toml", ".hcl", ""}


@pytest.fixture(scope="session")
def messages(root: Path, files: tuple[Path, ...]) -> dict[Path, list[str]]:
    """Code spans in sources but tests': in messages, help texts, descriptions and comments."""
    return {
        path: _CODE_SPAN.findall((root / path).read_text("utf-8", errors="replace"))
        for path in files
        if path.suffix in _SOURCES and "tests" not in path.parts and path.name != "LICENSE"
    }


@pytest.fixture(scope="session")
def command() -> TyperGroup:
    """The whole tree of the `millrace` command."""
    tree = typer.main.get_command(app)
    assert isinstance(tree, TyperGroup)
    return tree


def test_every_millrace_command_in_a_document_exists(
    documents: dict[Path, str], command: TyperGroup
) -> None:
    """Each sub-command and option of `millrace` in a code span or block is one of its own."""
    found = [(document, words) for document, text in documents.items() for words in _commands(text)]
    faults = [
        f"{document}: {fault}" for document, words in found for fault in _faults(words, command)
    ]
    assert found
    assert not faults


def test_every_remedy_is_a_command_that_exists(
    root: Path, messages: dict[Path, list[str]], command: TyperGroup
) -> None:
    """A message that says to run `make ...` or `millrace ...` names what there is."""
    targets = set(_MAKE_TARGET.findall((root / "Makefile").read_text("utf-8")))
    faults = []
    for path, spans in messages.items():
        for span in spans:
            if made := _MAKE.match(span):
                faults += [f"{path}: make {n}" for n in made[1].split() if n not in targets]
            if run := _COMMAND.match(span):
                faults += [f"{path}: {f}" for f in _faults(_words(run[1]), command)]
    assert any("make" in span for spans in messages.values() for span in spans)
    assert not faults


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("millrace status --json", None),
        ("millrace archive cat 2025-12-28T09 | head -1", None),
        ('eval "$(.venv/bin/millrace put - --rate 5)"', None),
        ("MILLRACE_ENGINE=x millrace stop", None),
        ("millrace --version", None),
        ("millrace --outputs", None),
        ("millrace --outputs status", "millrace --outputs"),
        ("millrace statuses", "millrace statuses"),
        ("millrace archive dump", "millrace archive dump"),
        ("zcat a.gz | millrace put - --fast", "millrace put --fast"),
        ("millrace events --entity=a --form=b", "millrace events --form"),
    ],
)
def test_a_command_that_is_not_there_is_found(
    command: TyperGroup, line: str, fault: str | None
) -> None:
    """The reader of command lines knows what exists from what does not."""
    found = [
        each for words in _commands(f"```sh\n{line}\n```\n") for each in _faults(words, command)
    ]
    assert found == ([fault] if fault else [])


def _commands(text: str) -> Iterator[list[str]]:
    """Find the `millrace` command lines of a document, as words after the command's name."""
    lines = [
        line
        for block in _CODE_BLOCK.findall(text)
        for line in block.replace("\\\n", " ").splitlines()
    ]
    for piece in [*lines, *_CODE_SPAN.findall(_CODE_BLOCK.sub("", text))]:
        for part in re.split(r"(?<=[|;&(])", piece):
            if found := _COMMAND.match(part):
                yield _words(found[1])


def _words(command_line: str) -> list[str]:
    lexer = shlex.shlex(_END.sub("", command_line), posix=False, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.quotes = "'"
    return [word.strip("\"'") for word in lexer]


def _faults(words: list[str], command: TyperGroup | TyperCommand) -> Iterator[str]:
    """Follow the words down the tree; yield what is no sub-command or option on the way."""
    if len(words) == 1 and words[0] in _options_below(command):
        return  # `millrace --env`: an option that commands share, said of them all
    path = ["millrace"]
    for word in words:
        if word.startswith("-") and word != "-":
            name = word.partition("=")[0]
            if not re.fullmatch(r"-\w|--[a-z][a-z-]*", name) or name in _options(command):
                continue
            yield f"{' '.join(path)} {name}"
        elif isinstance(command, TyperGroup) and re.fullmatch(r"[a-z][a-z-]*", word):
            path.append(word)
            if word not in command.commands:
                yield " ".join(path)
                return
            command = _child(command, word)


def _options_below(command: TyperGroup | TyperCommand) -> set[str]:
    names = _options(command)
    if isinstance(command, TyperGroup):
        names |= {
            name for each in command.commands for name in _options_below(_child(command, each))
        }
    return names


def _child(group: TyperGroup, name: str) -> TyperGroup | TyperCommand:
    child = group.commands[name]
    assert isinstance(child, TyperGroup | TyperCommand)
    return child


def _options(command: TyperGroup | TyperCommand) -> set[str]:
    context = typer.Context(command)
    return {
        name
        for parameter in command.get_params(context)
        for name in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "-h"}
