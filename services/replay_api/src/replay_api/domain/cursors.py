"""Where the next page of the list of replays begins, as text that clients hand back unread."""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from millrace.errors import RejectedRecord
from millrace.problems import Refusal, refused_field
from millrace.replay.record import ReplayPlace
from millrace.times import format_ms, parse_rfc3339
from replay_api.domain.refusals import RefusalKind

MAX_CURSOR_CHARACTERS = 200
_SEPARATOR = "#"


def cursor_of(place: ReplayPlace) -> str:
    """Return the cursor of the page that follows the replay at `place`."""
    text = f"{format_ms(place.started_at)}{_SEPARATOR}{place.replay_id}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def parse_cursor(cursor: str) -> ReplayPlace:
    """Return the place that a cursor names.

    Raises:
        Refusal: it is none that `cursor_of` returned.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        text = urlsafe_b64decode(padded.encode("ascii")).decode()
        started, _, replay_id = text.partition(_SEPARATOR)
        place = ReplayPlace(parse_rfc3339(started), replay_id)
    except (binascii.Error, UnicodeError, RejectedRecord) as err:
        raise _not_ours() from err
    if not replay_id or cursor != cursor_of(place):
        raise _not_ours()
    return place


def _not_ours() -> Refusal:
    return refused_field(
        RefusalKind.UNREADABLE, "cursor", "is none of ours; hand back `next_cursor` as it was"
    )
