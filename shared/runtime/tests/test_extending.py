"""docs/extending.md does what it says."""

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import dedent

import pytest

from millrace.errors import RejectedRecord
from millrace.event import EventLimits, parse_event
from millrace.reasons import RejectReason

pytestmark = pytest.mark.validation

PAGE = Path(__file__).parents[3] / "docs/extending.md"
ARRIVAL = datetime(2025, 12, 28, 9, 30, tzinfo=UTC)


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [dedent(block) for block in found]


def test_the_example_accepts_and_rejects_what_it_claims():
    """The page's model, registered, accepts the page's first event and quarantines its second."""
    (module,) = blocks("python")
    good, bad = blocks("json")
    exec(compile(dedent(module), str(PAGE), "exec"), {"__name__": "order_placed"})
    assert parse_event(good.encode(), ARRIVAL, EventLimits()).fields.payload["total"] == 12.5
    with pytest.raises(RejectedRecord, match=r"payload\.total") as rejected:
        parse_event(bad.encode(), ARRIVAL, EventLimits())
    assert rejected.value.reason is RejectReason.PAYLOAD_INVALID
