"""Why a request is not answered."""

from enum import StrEnum


class RefusalKind(StrEnum):
    """Each way in which a request can be no request of ours."""

    INVALID = "invalid"
    NOT_FOUND = "not-found"
    ANSWER_TOO_LARGE = "answer-too-large"
