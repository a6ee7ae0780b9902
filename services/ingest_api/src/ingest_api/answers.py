"""What the front door answers: the models of its JSON, of which the OpenAPI document is made."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Index = Annotated[int, Field(ge=0, description="Place in the array; 0 for a single event.")]
EventId = Annotated[
    str,
    Field(description="The event's identity in the whole pipeline, by which it is deduplicated."),
]


class QueuedEvent(BaseModel):
    """An event that is on the stream."""

    model_config = ConfigDict(frozen=True)

    index: Index
    event_id: EventId
    status: Literal["queued"] = "queued"


class SentEventStatus(BaseModel):
    """An event of a request that was sent in part."""

    model_config = ConfigDict(frozen=True)

    index: Index
    event_id: EventId
    status: Annotated[
        Literal["queued", "failed"],
        Field(description="`failed`: not known to be on the stream; send exactly this one again."),
    ]


class Accepted(BaseModel):
    """All events are queued on the stream: neither stored nor deduplicated yet."""

    model_config = ConfigDict(frozen=True)

    accepted: Annotated[int, Field(ge=1, description="How many events are queued.")]
    events: tuple[QueuedEvent, ...]


class ItemError(BaseModel):
    """What is wrong with one event."""

    model_config = ConfigDict(frozen=True)

    index: Index
    reason: Annotated[
        str,
        Field(
            description="Of an invalid event the reason that quarantine would give it "
            "(`missing_field`, `time_in_future`, `too_large`...); of a failed one Kinesis's "
            "error code, or `NoAnswer`."
        ),
    ]
    detail: str


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: Annotated[str, Field(description="Names the kind of problem; stable.")]
    title: str
    status: int
    detail: str
    instance: Annotated[str, Field(description="Names this request; quote it when you ask.")]
    errors: tuple[ItemError, ...] = ()


class NotAllQueued(Problem):
    """Problem details of a request of which only a part is on the stream."""

    accepted: Annotated[int, Field(ge=0, description="How many events are queued.")]
    events: tuple[SentEventStatus, ...]
