"""Everything that an apply depends on, as one hash."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from millrace_local.project import project_root


def fingerprint(configuration: Path, variables: Mapping[str, Any]) -> str:
    """Return a hash of the variables, the configuration and every file that they name."""
    digest = hashlib.sha256(json.dumps(variables, sort_keys=True).encode())
    for path in _files(configuration, variables):
        digest.update(str(path).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _files(configuration: Path, variables: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the configuration, the modules and data beside it, the zips, and files by name."""
    top = project_root() / "terraform"
    is_ours = configuration.is_relative_to(top)
    for suffix in (".tf", ".toml", ".json"):
        yield from sorted((top if is_ours else configuration).rglob(f"*{suffix}"))
    if artifacts := variables.get("artifacts_dir"):
        yield from sorted((configuration / artifacts).glob("*.zip"))
    for _, value in sorted(variables.items()):
        # Terraform runs in the configuration's folder, so relative names start there.
        if isinstance(value, str) and _is_file(configuration / value):
            yield configuration / value


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False  # too long to be a name: a value of another kind
