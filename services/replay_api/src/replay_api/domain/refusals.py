"""Why a request is refused: nothing was planned, started or changed."""

from enum import StrEnum


class RefusalKind(StrEnum):
    """Each way in which a request can be no request of ours."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    INVALID = "invalid"
    UNIDENTIFIED = "unidentified"
    NOT_FOUND = "not-found"
    INVALID_MOVE = "invalid-move"
    SELECTION_TOO_LARGE = "selection-too-large"
    PLANNING_TOO_LONG = "planning-too-long"
