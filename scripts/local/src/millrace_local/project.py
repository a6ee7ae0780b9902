"""Where the project lies, and where the state of a local engine does."""

import re
from dataclasses import dataclass
from pathlib import Path

from millrace_local.errors import LocalEngineError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_RESERVED = frozenset({"deployed", "plugins", "venvs"})


def project_root() -> Path:
    """Return the folder that holds requirements/ and terraform/.

    Raises: LocalEngineError: neither this package nor the working directory lies in the project.
    """
    for start in (Path(__file__).resolve(), Path.cwd().resolve()):
        for folder in start.parents if start.is_file() else (start, *start.parents):
            if (folder / "requirements" / "engine.txt").is_file():
                return folder
    raise LocalEngineError("requirements/engine.txt not found: run this in a clone of the project")


def default_root() -> Path:
    """Return the folder of all engines' state: `.millrace` of the project."""
    return project_root() / ".millrace"


@dataclass(frozen=True)
class EngineFolder:
    """The state of one engine, all of it below one folder."""

    root: Path
    name: str

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.name in _RESERVED:
            raise LocalEngineError(
                f"{self.name!r} cannot name an engine: use a-z, 0-9 and -, beginning with a letter"
            )

    @property
    def path(self) -> Path:
        """The folder itself, absolute."""
        return self.root.resolve() / self.name

    @property
    def record(self) -> Path:
        """engine.json: name, endpoint, port, pids, started_at."""
        return self.path / "engine.json"

    @property
    def logs(self) -> Path:
        """The processes' own output."""
        return self.path / "logs"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the engine and of the functions that it runs."""
        return self.path / "tmp"

    @property
    def mapping_state(self) -> Path:
        """mapping.json: positions and health of the Kinesis mappings."""
        return self.path / "mapping.json"

    @property
    def terraform(self) -> Path:
        """Terraform's state, plan, data directory and configuration file."""
        return self.path / "terraform"

    @property
    def apply_lock(self) -> Path:
        """Held during an apply; outside of `path`, which an apply may have to empty."""
        return self.root.resolve() / f".apply-{self.name}.lock"

    @property
    def outputs(self) -> Path:
        """outputs.json: Terraform's outputs by name."""
        return self.path / "outputs.json"
