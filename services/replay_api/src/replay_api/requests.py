"""What clients send: the models of its JSON, of which the OpenAPI document is made."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millrace.problems import Refusal, faults_of
from millrace.replay.operations import DEFAULT_RATE, MAX_RATE
from millrace.replay.selection import DEFAULT_LIMIT, Selection, parse_bound
from replay_api.domain.refusals import RefusalKind

MAX_BODY_BYTES = 64 * 1024
MAX_REASON_CHARACTERS = 1_000

Bound = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Reason = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAX_REASON_CHARACTERS,
        pattern=r"\S",
        description="Why; kept in the audit.",
    ),
]


class _Body(BaseModel):
    # Strict: "10" is no number. A name that is not known is a mistake, never ignored.
    model_config = ConfigDict(
        frozen=True, strict=True, extra="forbid", use_attribute_docstrings=True
    )


class ReplayRequest(_Body):
    """What to replay, and how."""

    start: Bound
    """First instant of event time: RFC 3339 with an offset, to the millisecond."""
    end: Bound
    """First instant behind the window: RFC 3339 with an offset, to the millisecond."""
    entity_id: str | None = None
    """Only this entity's events."""
    source: str | None = None
    """Only this source's events."""
    event_type: str | None = None
    """Only events of this type."""
    include_duplicates: bool = False
    """Repeated events, too."""
    limit: Annotated[int, Field(ge=1)] | None = DEFAULT_LIMIT
    """A larger selection is refused, never cut."""
    dry_run: bool = False
    """Read, parse and enrich; count nothing."""
    rate: Annotated[int, Field(ge=1, le=MAX_RATE)] = DEFAULT_RATE
    """Messages a second at most."""
    reason: Reason
    queue_arn: str | None = None
    """Send to this queue of your own in place of the pipeline's; one that the deployment allows."""

    def selection(self) -> Selection:
        """Return what is selected.

        Raises:
            InvalidSelection: it cannot be meant.
        """
        return Selection(
            start=parse_bound(self.start, "start"),
            end=parse_bound(self.end, "end"),
            entity_id=self.entity_id,
            source=self.source,
            event_type=self.event_type,
            include_duplicates=self.include_duplicates,
            limit=self.limit,
        )


class MoveRequest(_Body):
    """Why a replay is paused, resumed or cancelled."""

    reason: Reason


def parse_replay(body: bytes) -> ReplayRequest:
    """Return the body of POST /replay.

    Raises:
        Refusal: it is none; every faulty field is named.
    """
    try:
        return ReplayRequest.model_validate_json(_bounded(body))
    except ValidationError as err:
        raise _refusal(err) from err


def parse_move(body: bytes) -> MoveRequest:
    """Return the body of pause, resume and cancel.

    Raises:
        Refusal: it is none; every faulty field is named.
    """
    try:
        return MoveRequest.model_validate_json(_bounded(body))
    except ValidationError as err:
        raise _refusal(err) from err


def _bounded(body: bytes) -> bytes:
    if len(body) > MAX_BODY_BYTES:
        raise Refusal(
            RefusalKind.TOO_LARGE, f"the body has {len(body)} bytes; {MAX_BODY_BYTES} at most"
        )
    return body


def _refusal(err: ValidationError) -> Refusal:
    known = ", ".join(ReplayRequest.model_fields)
    faults = faults_of(err, f"the fields of POST /replay are {known}, elsewhere only reason")
    if not faults:
        problem = err.errors(include_url=False, include_input=False)[0]["msg"]
        return Refusal(RefusalKind.UNREADABLE, f"the body is no JSON object: {problem}")
    names = ", ".join(sorted({fault.field for fault in faults}))
    return Refusal(RefusalKind.INVALID, f"fields that cannot be taken: {names}", faults)
