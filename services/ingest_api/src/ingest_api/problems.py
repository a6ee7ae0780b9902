"""From a refusal or a partial success to problem details (RFC 9457)."""

from urllib.parse import quote

from ingest_api.answers import ItemError, NotAllQueued, Problem, SentEventStatus
from ingest_api.domain.refusals import Refusal, RefusalKind
from ingest_api.service import Outcome

TYPE_PREFIX = "urn:millrace:problem:"
_REFUSALS = {
    RefusalKind.UNREADABLE: (400, "The request cannot be read"),
    RefusalKind.TOO_LARGE: (413, "The request or an event of it is too large"),
    RefusalKind.UNSUPPORTED_ENCODING: (415, "The content encoding is not supported"),
    RefusalKind.INVALID_EVENTS: (422, "Some events are invalid; none was sent"),
}


def of_refusal(refusal: Refusal, request_id: str) -> Problem:
    """Return the problem of a request of which nothing was sent."""
    status, title = _REFUSALS[refusal.kind]
    return Problem(
        type=f"{TYPE_PREFIX}{refusal.kind}",
        title=title,
        status=status,
        detail=refusal.detail,
        instance=instance(request_id),
        errors=tuple(
            ItemError(index=fault.index, reason=fault.reason, detail=fault.detail)
            for fault in refusal.faults
        ),
    )


def of_partial(outcome: Outcome, request_id: str) -> NotAllQueued:
    """Return the problem of a request of which some events, or none, are on the stream."""
    failed = outcome.failed
    return NotAllQueued(
        type=f"{TYPE_PREFIX}not-all-queued",
        title="Some events could not be queued",
        status=503,
        detail=f"{len(failed)} of {len(outcome.events)} events could not be queued in time; "
        "send exactly those again",
        instance=instance(request_id),
        errors=tuple(
            ItemError(
                index=each.index,
                reason=each.error or "",
                detail="the stream did not take it",
            )
            for each in failed
        ),
        accepted=len(outcome.events) - len(failed),
        events=tuple(
            SentEventStatus(
                index=each.index,
                event_id=each.event_id,
                status="queued" if each.error is None else "failed",
            )
            for each in outcome.events
        ),
    )


def of_misconfiguration(request_id: str) -> Problem:
    """Return the problem of a deployment that lacks a right or the stream: ours, not theirs."""
    return Problem(
        type=f"{TYPE_PREFIX}misconfigured",
        title="The deployment is faulty",
        status=500,
        detail="the events could not be sent; the operators' log says why",
        instance=instance(request_id),
    )


def instance(request_id: str) -> str:
    """Return the URI reference of one request."""
    return f"/ingest#{quote(request_id, safe='')}"
