"""The few pieces of Markdown that a generated page is made of."""

import re
from collections.abc import Iterable, Sequence

_CODE_OR_TAG = re.compile(r"`[^`]*`|<")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; a cell's line ends become spaces."""
    lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
    return "\n".join(lines)


def code(text: str) -> str:
    """Return a code span, or nothing for no text."""
    return f"`{' '.join(text.split())}`" if text else ""


def block(text: str, language: str) -> str:
    """Return a code block."""
    return f"```{language}\n{text}\n```"


def _row(cells: Sequence[str]) -> str:
    escaped = (_escaped(" ".join(cell.split())) for cell in cells)
    return " ".join(["|", *(f"{cell} |" if cell else "|" for cell in escaped)])


def _escaped(cell: str) -> str:
    """Keep a bar from ending the cell, and a `<` outside code from beginning a tag."""
    without_tags = _CODE_OR_TAG.sub(lambda m: "&lt;" if m.group() == "<" else m.group(), cell)
    return without_tags.replace("|", "\\|")
