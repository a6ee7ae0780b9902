"""Which problem each refusal is (RFC 9457)."""

from millrace.problems import Problems
from replay_api.domain.refusals import RefusalKind

PROBLEMS = Problems(
    path="/replay",
    look_at="GET /replays",
    refusals={
        RefusalKind.UNREADABLE: (400, "The request cannot be read"),
        RefusalKind.UNIDENTIFIED: (403, "The caller is not known"),
        RefusalKind.NOT_FOUND: (404, "There is no such replay or route"),
        RefusalKind.INVALID_MOVE: (409, "The replay's state does not allow it"),
        RefusalKind.TOO_LARGE: (413, "The request is too large"),
        RefusalKind.INVALID: (422, "The request cannot be meant"),
        RefusalKind.SELECTION_TOO_LARGE: (422, "More events are selected than allowed"),
        RefusalKind.PLANNING_TOO_LONG: (422, "Planning takes longer than a request may"),
    },
)
