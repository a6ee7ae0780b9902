"""The command line: `python -m millrace_docs write|check`."""

import argparse
import difflib
import sys
from collections.abc import Sequence

from millrace_build import Workspace
from millrace_docs.configuration import PAGE, configuration_page
from millrace_docs.errors import DocsError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 all is well, 1 a document is at fault."""
    parser = argparse.ArgumentParser(prog="python -m millrace_docs", description=__doc__)
    parser.add_argument("command", choices=["write", "check"])
    command = parser.parse_args(arguments).command
    try:
        (write if command == "write" else check)(Workspace.here())
    except DocsError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    return 0


def write(workspace: Workspace) -> None:
    """Write the generated documents.

    Raises: DocsError: their sources contradict each other or cannot be read.
    """
    page = workspace.root / PAGE
    text = configuration_page(workspace)
    is_new = not page.is_file() or page.read_text(encoding="utf-8") != text
    page.write_text(text, encoding="utf-8")
    print(f"{PAGE}: {'written' if is_new else 'unchanged'}")


def check(workspace: Workspace) -> None:
    """Compare the generated documents with what is there.

    Raises: DocsError: one differs; the message shows how, and the remedy.
    """
    page = workspace.root / PAGE
    there = page.read_text(encoding="utf-8") if page.is_file() else ""
    text = configuration_page(workspace)
    if there != text:
        difference = difflib.unified_diff(
            there.splitlines(), text.splitlines(), "as it is", "as it should be", lineterm="", n=0
        )
        raise DocsError("\n".join([f"{PAGE} has drifted: run `make docs`", *difference]))
    print(f"{PAGE} is in step with its sources")


if __name__ == "__main__":
    sys.exit(main())
