"""What clients send: the models of its JSON, of which the OpenAPI document is made."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millrace.dlq.redrive import DEFAULT_RATE
from millrace.dlq.selection import Selection
from millrace.problems import Refusal, faults_of
from operator_api.domain.refusals import RefusalKind

MAX_BODY_BYTES = 64 * 1024
MAX_REASON_CHARACTERS = 1_000
MAX_RATE = 1_000
MAX_SHOWN = 100
_MAX_AGE_S = 14 * 24 * 3600  # no dead letter is older

AgeS = Annotated[int, Field(ge=0, le=_MAX_AGE_S)]


class _Filters(BaseModel):
    # A name that is not known is a mistake, never ignored.
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    message_id: str | None = None
    """Only this message."""
    error: str = ""
    """Only those whose error holds this, in any case."""
    older_than_s: AgeS | None = None
    """Only those first sent at least so many seconds ago."""
    newer_than_s: AgeS | None = None
    """Only those first sent less long ago."""
    replay_id: str = ""
    """Only messages of this replay."""

    def selection(self, limit: int | None) -> Selection:
        """Return what is meant."""
        return Selection(
            message_ids=frozenset({self.message_id} if self.message_id else ()),
            error=self.error,
            older_than=_seconds(self.older_than_s),
            newer_than=_seconds(self.newer_than_s),
            replay_id=self.replay_id,
            limit=limit,
        )


class LookQuery(_Filters):
    """Which dead letters of a queue to show."""

    limit: Annotated[int, Field(ge=1, le=MAX_SHOWN)] = 20
    """Messages at most."""


class RedriveRequest(_Filters):
    """Which dead letters to send back, and how."""

    model_config = ConfigDict(strict=True)  # "10" is no number

    limit: Annotated[int, Field(ge=1)] | None = None
    """At most so many."""
    rate: Annotated[int, Field(ge=1, le=MAX_RATE)] = DEFAULT_RATE
    """Messages a second at most."""
    wait_s: Annotated[int, Field(ge=1, le=15)] = 8
    """How long to wait for news of a canary."""
    force: bool = False
    """Without canaries."""
    dry_run: bool = False
    """Say what would be sent back; send nothing."""
    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS, pattern=r"\S")]
    """Why; kept in the audit."""


def parse_redrive(body: bytes) -> RedriveRequest:
    """Return the body of POST /dlq/{queue}/redrive.

    Raises:
        Refusal: it is none; every faulty field is named.
    """
    if len(body) > MAX_BODY_BYTES:
        raise Refusal(
            RefusalKind.TOO_LARGE, f"the body has {len(body)} bytes; {MAX_BODY_BYTES} at most"
        )
    try:
        return RedriveRequest.model_validate_json(body)
    except ValidationError as err:
        raise _refusal(err, RedriveRequest, RefusalKind.INVALID) from err


def parse_look(query: Mapping[str, str]) -> LookQuery:
    """Return the query of GET /dlq/{queue}.

    Raises:
        Refusal: it is none; every faulty parameter is named.
    """
    try:
        return LookQuery.model_validate(query)
    except ValidationError as err:
        raise _refusal(err, LookQuery, RefusalKind.UNREADABLE) from err


def _refusal(err: ValidationError, model: type[BaseModel], kind: RefusalKind) -> Refusal:
    faults = faults_of(err, f"there are {', '.join(model.model_fields)}")
    if not faults:
        problem = err.errors(include_url=False, include_input=False)[0]["msg"]
        return Refusal(RefusalKind.UNREADABLE, f"the body is no JSON object: {problem}")
    names = ", ".join(sorted({fault.field for fault in faults}))
    return Refusal(kind, f"fields that cannot be taken: {names}", faults)


def _seconds(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)
