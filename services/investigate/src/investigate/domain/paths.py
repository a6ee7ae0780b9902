"""Ids in paths: real ones hold `#`, `/` and `%`.

An HTTP API decodes a path before it looks for its route, so `%2F` is a slash by then; routes end in
a greedy variable, therefore, which takes slashes. It decodes every escape but that of the percent
sign itself, cuts the path at a decoded `?`, and does not say so in its reference; these pages do:
https://github.com/hotsock/voker/pull/8 and https://github.com/middleapi/standard-server/pull/93
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
Percent-encoded ids come through all that, but those with a `?`, a line's end or `%25` in them, if
the gateway should ever decode differently. So an id may be spelled without any sign that a path
gives a meaning to: `~` and the base64url of its bytes.
"""

import binascii
from base64 import b64decode, urlsafe_b64encode
from enum import StrEnum

from investigate.domain.refusals import RefusalKind
from millrace.problems import Refusal, refused_field

_SPELLED = "~"


class EntityView(StrEnum):
    """What can be asked about an entity; the value is the path's last part."""

    EVENTS = "events"
    GAPS = "gaps"


def entity_path(path: str) -> tuple[str, EntityView]:
    """Return the id and the view in `ID/events`, as the gateway hands on what follows /entities.

    Raises:
        Refusal: it is no such path.
    """
    id_part, _, view = path.rpartition("/")
    if view not in {each.value for each in EntityView}:
        known = " or ".join(f"/entities/{{id}}/{each}" for each in EntityView)
        raise refused_field(RefusalKind.NOT_FOUND, "path", f"there is no such route; ask {known}")
    return id_of(id_part, 256), EntityView(view)


def id_of(part: str, longest: int) -> str:
    """Return the id that a part of the path spells, as the gateway hands it on.

    longest: characters that such an id has at most.

    Raises:
        Refusal: it is none.
    """
    value = _decoded(part[1:]) if part.startswith(_SPELLED) else part.replace("%25", "%")
    if not 1 <= len(value) <= longest:
        raise _refused(f"has {len(value)} characters; an id has 1 to {longest}")
    try:
        value.encode()
    except UnicodeEncodeError as err:
        raise _refused("is no text in UTF-8") from err
    return value


def spelled(value: str) -> str:
    """Return an id as `~` and its base64url, which any path carries unchanged."""
    return _SPELLED + urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _decoded(text: str) -> str:
    try:
        padded = (text + "=" * (-len(text) % 4)).encode("ascii")
        return b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as err:
        raise _refused("begins with ~, and what follows is no base64url of UTF-8") from err


def _refused(problem: str) -> Refusal:
    return refused_field(RefusalKind.INVALID, "id", problem)
