"""The shell commands of documents: marked blocks, as one script that says what failed."""

import re
from collections.abc import Iterable, Iterator

_CONTINUED = re.compile(r"\\\n")
# 3 is the command's way to say that something is unaccounted for: an answer, no failure.
_HEADER = """set -uo pipefail
trap 'code=$?; [ $code = 3 ] || { echo "exit code $code: $BASH_COMMAND" >&2; exit 1; }' ERR
set -E
"""


def commands(text: str, mark: str) -> Iterator[str]:
    """Yield the commands of a document's blocks ```sh MARK, one by one; a loop is one command."""
    for block in re.findall(rf"^```sh {mark}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        loop: list[str] = []
        for line in re.findall(r"(?:[^\n]*\\\n)*[^\n]*\n", block):
            loop.append(line)
            if not loop[0].startswith("for ") or line.startswith("done"):
                yield "".join(loop)
                loop = []


def script(documents: Iterable[str], mark: str) -> str:
    """Return all commands in order; one that sets nothing and stood there before runs once."""
    seen: set[str] = set()
    lines = [_HEADER]
    for command in (each for text in documents for each in commands(text, mark)):
        if command in seen and not re.match(r"[A-Z]+=", command):
            continue
        seen.add(command)
        lines.append(command)
    return "".join(lines)
