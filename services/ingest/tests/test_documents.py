"""The README names what the code has."""

import re
from pathlib import Path

from millrace.reasons import RejectReason

README = Path(__file__).parents[1] / "README.md"


def test_every_reason_is_documented():
    """The table of reasons holds each reason of the vocabulary, and no other."""
    table = README.read_text().split("## Why a record is quarantined")[1].split("\n## ")[0]
    rows = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([a-z0-9_]+)`", row)} == set(
        RejectReason
    )
