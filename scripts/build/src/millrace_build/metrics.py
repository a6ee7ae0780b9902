"""Checking metric definitions before anything is built or applied with them."""

from collections.abc import Sequence
from pathlib import Path

from millrace.definitions import Definitions, parse
from millrace.errors import ConfigError
from millrace_build.errors import BuildError
from millrace_build.workspace import Workspace


def check_metrics(workspace: Workspace, others: Sequence[Path]) -> dict[str, Definitions]:
    """Return the definitions in `terraform/metrics` and in `others`, by file.

    Raises: BuildError: every faulty file, each with its metric, field and remedy.
    """
    folder = workspace.root / "terraform" / "metrics"
    ours = {str(path.relative_to(workspace.root)): path for path in sorted(folder.glob("*.toml"))}
    found: dict[str, Definitions] = {}
    faults: list[str] = []
    for name, path in (ours | {str(path): path for path in others}).items():
        try:
            found[name] = parse(path.read_bytes(), name)
        except ConfigError as err:
            faults.append(str(err))
        except OSError as err:
            faults.append(f"{name}: cannot be read: {err.strerror}; name a file of definitions")
    if faults:
        raise BuildError("\n".join(faults))
    return found
