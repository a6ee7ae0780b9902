"""Cursors are handed back as they were, or refused."""

from base64 import urlsafe_b64encode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.problems import Refusal
from millrace.replay.record import ReplayPlace
from millrace_testing.builders import ARRIVAL
from replay_api.domain.cursors import MAX_CURSOR_CHARACTERS, cursor_of, parse_cursor
from replay_api.domain.refusals import RefusalKind


@given(st.integers(0, 10**9), st.from_regex(r"[0-9]{10}-[0-9a-f]{8}", fullmatch=True))
def test_a_cursor_names_its_place(milliseconds, replay_id):
    """Whatever the place."""
    place = ReplayPlace(ARRIVAL + timedelta(milliseconds=milliseconds), replay_id)
    assert parse_cursor(cursor_of(place)) == place
    assert len(cursor_of(place)) <= MAX_CURSOR_CHARACTERS


@given(st.text(max_size=300))
def test_any_other_text_is_refused(text):
    """It names the field; nothing else is ever raised."""
    with pytest.raises(Refusal) as refused:
        parse_cursor(text)
    assert refused.value.kind is RefusalKind.UNREADABLE
    assert refused.value.faults[0].field == "cursor"


@pytest.mark.parametrize(
    "text", ["", "#", "2025-12-28T09:00:00.000Z#", "now#r", "2025-12-28T09:00:00+00:00#r"]
)
def test_a_cursor_of_ones_own_making_is_refused(text):
    """What does not name a replay's place exactly as we write it."""
    with pytest.raises(Refusal):
        parse_cursor(urlsafe_b64encode(text.encode()).decode().rstrip("="))
