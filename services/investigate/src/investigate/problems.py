"""Which problem each refusal is (RFC 9457)."""

from investigate.domain.refusals import RefusalKind
from millrace.problems import Problems

PROBLEMS = Problems(
    path="/status",
    look_at="GET /status",
    refusals={
        RefusalKind.INVALID: (400, "The question cannot be meant"),
        RefusalKind.ANSWER_TOO_LARGE: (400, "The answer is larger than a response may be"),
        RefusalKind.NOT_FOUND: (404, "There is no such event or route"),
    },
)
