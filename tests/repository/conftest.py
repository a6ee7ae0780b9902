"""The repository's files, as Git would commit them."""

import subprocess
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    return _ROOT


@pytest.fixture(scope="session")
def files() -> tuple[Path, ...]:
    """Every tracked or new, not ignored file, relative to the root."""
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=_ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    named = (Path(name) for name in listing.split("\0") if name)
    return tuple(sorted(path for path in named if (_ROOT / path).is_file()))


@pytest.fixture(scope="session")
def documents(root: Path, files: tuple[Path, ...]) -> dict[Path, str]:
    """Every document but those of fixtures, which name paths of the projects they came from."""
    return {
        path: (root / path).read_text("utf-8")
        for path in files
        if path.suffix == ".md" and "fixtures" not in path.parts
    }
