"""The changelog keeps its grammar."""

import re
from pathlib import Path

_SECTIONS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
_RELEASE = re.compile(r"^\[(?:Unreleased|\d+\.\d+\.\d+)\](?: - \d{4}-\d{2}-\d{2})?$")


def test_the_changelog_keeps_its_grammar(root: Path) -> None:
    """Releases are headed `[x.y.z] - date` below `[Unreleased]`, their sections by known names."""
    text = (root / "CHANGELOG.md").read_text("utf-8")
    releases = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert releases[0] == "[Unreleased]"
    assert all(_RELEASE.match(release) for release in releases)
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= _SECTIONS
