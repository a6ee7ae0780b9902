"""Which problem each refusal is (RFC 9457)."""

from millrace.problems import Problems
from operator_api.domain.refusals import RefusalKind

PROBLEMS = Problems(
    path="/dlq",
    look_at="GET /dlq",
    refusals={
        RefusalKind.UNREADABLE: (400, "The request cannot be read"),
        RefusalKind.UNIDENTIFIED: (403, "The caller is not known"),
        RefusalKind.NOT_FOUND: (404, "There is no such queue or route"),
        RefusalKind.TOO_LARGE: (413, "The request is too large"),
        RefusalKind.INVALID: (422, "The request cannot be meant"),
    },
)
