"""Pages whose shell blocks are run, and what they show that these print."""

import re
from dataclasses import dataclass
from pathlib import Path

_BLOCKS = re.compile(
    r"^```sh investigation\n(.*?)^```\n\n```text investigation\n(.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_FRAME = re.compile(r"[\u2500-\u257f\u2580-\u259f]")
_VARYING = re.compile(r"\d|^(ms|s|min|h|d)$")
"""Numbers, and units of time: how long something takes differs from run to run."""


@dataclass(frozen=True)
class Block:
    """Commands, and what the page says they print."""

    commands: str
    shown: str


def blocks_of(page: Path) -> list[Block]:
    """Return the blocks of a page, in order."""
    return [Block(*each) for each in _BLOCKS.findall(page.read_text("utf-8"))]


def fixed_words(text: str) -> set[str]:
    """Return what must be the same whenever and wherever the commands run."""
    words = _FRAME.sub(" ", text).split()
    return {word for word in words if not _VARYING.search(word)}
