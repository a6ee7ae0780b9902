"""The pages about investigating: every command runs, and prints what the page shows."""

import os
import re
import subprocess
from pathlib import Path

import pytest
from pages import Block, blocks_of, fixed_words

from millrace_build import Workspace
from millrace_build.venvs import ensure_venv

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

FOLDER = Path("docs/investigate")
PAGES = sorted(
    page.name for page in (Workspace.here().root / FOLDER).glob("*.md") if page.name != "README.md"
)
DEADLINE_S = 300
OWN = ("AWS_", "MILLRACE_", "MAKE", "MFLAGS")
EVERYBODYS = {"sources.md", "status.md"}
"""Pages that ask about the whole pipeline, in which other tests' events lie, too."""
WELL = "All is well. Checked:"
"""Not of this module alone to say, where other tests' leftovers lie."""


@pytest.fixture(scope="module")
def shop(pipeline) -> None:
    """The week of two tills, in the pipeline."""
    file = Workspace.here().root / FOLDER / "shop.ndjson"
    before = pipeline.put(file, "--format", "lines")
    pipeline.settled(before["received"] + len(file.read_bytes().splitlines()))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A folder that looks like the checkout's root, for the files that commands write."""
    for entry in Workspace.here().root.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    return tmp_path


def printed(block: Block, checkout: Path, engine: str) -> str:
    workspace = Workspace.here()
    aws = ensure_venv(workspace, workspace.root / "requirements/aws-cli.txt").parent
    ran = subprocess.run(
        ["bash", "-euc", block.commands],
        cwd=checkout,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(OWN)},
            "PATH": f"{aws}:{os.environ['PATH']}",
            "HOME": str(checkout),  # nobody's ~/.aws
            "MILLRACE_ENGINE": engine,
            "COLUMNS": "100",  # as the pages have it
        },
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=DEADLINE_S,
    )  # fmt: skip
    assert ran.returncode in {0, 3}, ran.stderr[-2000:]
    return ran.stdout


@pytest.mark.usefixtures("shop")
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_what_its_commands_print(page: str, checkout: Path, pipeline) -> None:
    """Whatever is no number: names, verdicts, reasons and the columns of the tables."""
    blocks = blocks_of(checkout / FOLDER / page)
    assert blocks
    for block in blocks:
        told = printed(block, checkout, pipeline.deployed.engine.name)
        shown = own_lines(block.shown) if page in EVERYBODYS else block.shown
        assert not fixed_words(shown) - fixed_words(told), told


def own_lines(shown: str) -> str:
    """Return the lines that are of this module's data, or the same with any: titles, columns."""
    lines = shown.replace(WELL, "").splitlines()
    return "\n".join(line for line in lines if "shop" in line or not re.search(r"\d", line))
