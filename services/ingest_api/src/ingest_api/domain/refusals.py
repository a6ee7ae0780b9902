"""Why a request is refused: nothing of it was sent, and nothing of it will be."""

from dataclasses import dataclass
from enum import StrEnum

from millrace.errors import MillraceError


class RefusalKind(StrEnum):
    """Each way in which a request can be no request of ours."""

    UNREADABLE = "unreadable"
    TOO_LARGE = "too-large"
    UNSUPPORTED_ENCODING = "unsupported-encoding"
    INVALID_EVENTS = "invalid-events"


@dataclass(frozen=True, slots=True)
class ItemFault:
    """What is wrong with one event; `index` counts from 0, a single event is number 0."""

    index: int
    reason: str
    detail: str


class Refusal(MillraceError):
    """The request as a whole is refused."""

    def __init__(self, kind: RefusalKind, detail: str, faults: tuple[ItemFault, ...] = ()) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.faults = faults
