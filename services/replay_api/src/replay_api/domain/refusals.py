"""Why a request is refused: nothing was planned, started or changed."""

from dataclasses import dataclass
from enum import StrEnum

from millrace.errors import MillraceError


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


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field of the body or the query, and what to write instead."""

    field: str
    detail: str


class Refusal(MillraceError):
    """The request as a whole is refused."""

    def __init__(self, kind: RefusalKind, detail: str, faults: tuple[FieldFault, ...] = ()) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.faults = faults


def refused_field(kind: RefusalKind, field: str, detail: str) -> Refusal:
    """Return the refusal of a request for one field."""
    return Refusal(kind, f"{field}: {detail}", (FieldFault(field, detail),))
