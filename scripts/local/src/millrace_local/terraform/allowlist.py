"""Where the local engine is known to differ from what was applied to it."""

from pathlib import Path

from millrace_local.terraform.drift import Change

_FILE = Path(__file__).with_name("drift_allowlist.txt")


def read_allowlist(path: Path = _FILE) -> frozenset[tuple[str, str]]:
    """Return the allowed (resource type, attribute): one `type.attribute  # why` a line."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    pairs = (line.partition(".") for line in lines if line)
    return frozenset((kind, attribute) for kind, _, attribute in pairs)


def is_allowed(change: Change, allowlist: frozenset[tuple[str, str]]) -> bool:
    """Say whether the engine, not the configuration, is the cause of the change."""
    return (change.type, change.attribute) in allowlist
