"""HCL as it is written: blocks, their attributes, and each expression's own text.

python-hcl2 parses; what it makes of expressions is not shown to readers, their source is.
"""

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import hcl2
from lark import Token, Tree
from lark.exceptions import LarkError

from millrace_docs.errors import DocsError

_Node = Tree[Token]
_STRING_QUOTE = '"'


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression. text: as in the file, less the indentation of the lines after the first."""

    text: str
    items: "dict[str, Expression]" = field(default_factory=dict)
    """Of an object that is written out: its values by key, in order; else empty."""

    @property
    def string(self) -> str:
        """Return a literal string's value; any other expression as it is written."""
        if not self.text.startswith(_STRING_QUOTE):
            return self.text
        # The escapes of an HCL string are among JSON's.
        return str(json.loads(self.text))


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its type (`variable`), labels, attributes, and the blocks in it."""

    type: str
    labels: tuple[str, ...]
    attributes: dict[str, Expression]
    blocks: "tuple[Block, ...]"


def read_blocks(path: Path) -> tuple[Block, ...]:
    """Return the blocks of one file in order.

    Raises: DocsError: the file is missing or is not HCL.
    """
    try:
        source = path.read_text(encoding="utf-8")
        tree = hcl2.parses_to_tree(source)
    except (OSError, LarkError) as err:
        raise DocsError(f"cannot read {path}: {err}") from err
    return tuple(_blocks(_only(tree, "body"), source))


def _blocks(body: _Node, source: str) -> Iterator[Block]:
    for node in _named(body, "block"):
        head = [*_named(node, "identifier"), *_named(node, "string")]
        head.sort(key=lambda part: part.meta.start_pos)
        kind, *labels = (_text(part, source).strip(_STRING_QUOTE) for part in head)
        inner = _only(node, "body")
        yield Block(
            kind, tuple(labels), dict(_attributes(inner, source)), tuple(_blocks(inner, source))
        )


def _attributes(body: _Node, source: str) -> Iterator[tuple[str, Expression]]:
    for node in _named(body, "attribute"):
        name, *_, value = _subtrees(node)
        yield _text(name, source), _expression(value, source)


def _expression(node: _Node, source: str) -> Expression:
    literal = [each for each in _subtrees(node) if each.data == "object"]
    items = {
        _text(key, source).strip(_STRING_QUOTE): _expression(value, source)
        for each in literal
        for key, value in map(_subtrees, _named(each, "object_elem"))
    }
    return Expression(_text(node, source), items)


def _text(node: _Node, source: str) -> str:
    first, *rest = source[node.meta.start_pos : node.meta.end_pos].splitlines()
    return "\n".join([first, *textwrap.dedent("\n".join(rest)).splitlines()])


def _subtrees(node: _Node) -> list[_Node]:
    return [child for child in node.children if isinstance(child, Tree)]


def _named(node: _Node, rule: str) -> list[_Node]:
    return [child for child in _subtrees(node) if child.data == rule]


def _only(node: _Node, rule: str) -> _Node:
    (found,) = _named(node, rule)
    return found
