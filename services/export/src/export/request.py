"""What the function is invoked with."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.errors import MillraceError, RejectedRecord
from millrace.times import parse_rfc3339

_SCHEDULED = "Scheduled Event"


class BadRequest(MillraceError):
    """An event that says nothing that export can do."""


@dataclass(frozen=True, slots=True)
class Request:
    """Hours to export, or None for those that changed; one client's alone, or all."""

    hours: tuple[datetime, ...] | None = None
    client_id: str | None = None


def parse_request(event: Mapping[str, Any]) -> Request:
    """Return the request in EventBridge's event or in `{"hours": [...], "client_id": ...}`.

    Raises:
        BadRequest: it is neither; the message names the field.
    """
    if event.get("detail-type") == _SCHEDULED:
        return Request()
    hours, client_id = event.get("hours"), event.get("client_id")
    if not isinstance(hours, list) or not hours:
        raise BadRequest("hours: name at least one hour, like 2015-09-12T13")
    if client_id is not None and not isinstance(client_id, str):
        raise BadRequest("client_id: a text, or nothing for all clients")
    return Request(tuple(map(_hour, hours)), client_id)


def _hour(label: object) -> datetime:
    try:
        at = parse_rfc3339(f"{label}:00:00Z")
    except RejectedRecord as err:
        raise BadRequest(f"hours: {label!r} is no hour like 2015-09-12T13") from err
    return at
