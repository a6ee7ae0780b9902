"""The README's tour and its investigation, as they stand there: one shell, commands in order."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from millrace_build import Workspace
from millrace_build.venvs import ensure_venv

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

# Info strings: ```sh tour; ```python tour FILE; ```text tour, what the sh before it prints.
_BLOCK = re.compile(r"^```(\w+) tour ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DEADLINE_S = 600
_OWN = ("AWS_", "MILLRACE_", "MAKE", "MFLAGS")  # of whoever runs the tests


@dataclass(frozen=True)
class Tour:
    """The marked blocks of the README, in order."""

    blocks: tuple[tuple[str, str, str], ...]

    @property
    def script(self) -> str:
        """All shell commands; each is echoed, each block's output goes to a file of its own."""
        shells = [text for language, _, text in self.blocks if language == "sh"]
        return "set -euo pipefail\n" + "".join(
            f"exec > output-{number}.txt\nset -x\n{text}{{ set +x; }} 2> /dev/null\n"
            for number, text in enumerate(shells)
        )

    @property
    def files(self) -> dict[str, str]:
        """Programs that the tour shows, by the names that it runs them under."""
        return {name: text for language, name, text in self.blocks if language == "python"}

    @property
    def shown(self) -> dict[int, str]:
        """What the README says a shell block prints, by the block's number."""
        shown, number = {}, -1
        for language, _, text in self.blocks:
            number += language == "sh"
            if language == "text":
                shown[number] = text
        return shown


@pytest.fixture(scope="module")
def tour() -> Tour:
    text = (Workspace.here().root / "README.md").read_text("utf-8")
    return Tour(tuple(_BLOCK.findall(text)))


@pytest.fixture
def checkout(tmp_path: Path, tour: Tour) -> Path:
    """A folder that looks like the checkout's root, for the files that the tour writes."""
    for entry in Workspace.here().root.iterdir():
        (tmp_path / entry.name).symlink_to(entry)
    for name, text in tour.files.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def test_the_tour_does_what_it_says(tour: Tour, checkout: Path, pipeline) -> None:
    """Every command of the README's tour succeeds, and prints what the README shows."""
    workspace = Workspace.here()
    aws = ensure_venv(workspace, workspace.root / "requirements/aws-cli.txt").parent
    ran = subprocess.run(
        ["bash", "-c", tour.script],
        cwd=checkout,
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(_OWN)},
            "PATH": f"{aws}:{os.environ['PATH']}",
            "HOME": str(checkout),  # nobody's ~/.aws
            "MILLRACE_ENGINE": pipeline.deployed.engine.name,
        },
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        text=True, check=False, timeout=_DEADLINE_S,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-4000:]
    assert tour.shown
    for number, text in tour.shown.items():
        printed = (checkout / f"output-{number}.txt").read_text("utf-8")
        assert _without_trailing_space(printed) == text


def _without_trailing_space(text: str) -> str:
    """Return the text without the spaces that fill a table's last column."""
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())
