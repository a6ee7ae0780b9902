"""From a refusal or an error to problem details (RFC 9457)."""

from urllib.parse import quote

from replay_api.answers import FieldError, Problem
from replay_api.domain.refusals import Refusal, RefusalKind

TYPE_PREFIX = "urn:millrace:problem:"
_REFUSALS = {
    RefusalKind.UNREADABLE: (400, "The request cannot be read"),
    RefusalKind.UNIDENTIFIED: (403, "The caller is not known"),
    RefusalKind.NOT_FOUND: (404, "There is no such replay or route"),
    RefusalKind.INVALID_MOVE: (409, "The replay's state does not allow it"),
    RefusalKind.TOO_LARGE: (413, "The request is too large"),
    RefusalKind.INVALID: (422, "The request cannot be meant"),
    RefusalKind.SELECTION_TOO_LARGE: (422, "More events are selected than allowed"),
    RefusalKind.PLANNING_TOO_LONG: (422, "Planning takes longer than a request may"),
}


def of_refusal(refusal: Refusal, request_id: str) -> Problem:
    """Return the problem of a request that changed nothing."""
    status, title = _REFUSALS[refusal.kind]
    return Problem(
        type=f"{TYPE_PREFIX}{refusal.kind}",
        title=title,
        status=status,
        detail=refusal.detail,
        instance=_instance(request_id),
        errors=tuple(FieldError(field=each.field, detail=each.detail) for each in refusal.faults),
    )


def of_unavailability(request_id: str) -> Problem:
    """Return the problem of something passing: the same request may succeed later."""
    return Problem(
        type=f"{TYPE_PREFIX}unavailable",
        title="Something that this needs is busy or away",
        status=503,
        detail="look at GET /replays, then send the request again; the operators' log says why",
        instance=_instance(request_id),
    )


def of_fault(request_id: str) -> Problem:
    """Return the problem of a deployment that lacks a right or a resource: ours, not theirs."""
    return Problem(
        type=f"{TYPE_PREFIX}misconfigured",
        title="The deployment is faulty",
        status=500,
        detail="the request could not be carried out; the operators' log says why",
        instance=_instance(request_id),
    )


def _instance(request_id: str) -> str:
    return f"/replay#{quote(request_id, safe='')}"
