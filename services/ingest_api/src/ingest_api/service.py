"""One request: read it whole, refuse it whole, or put all of it on the stream."""

from dataclasses import dataclass
from datetime import datetime

from ingest_api.domain.bodies import decoded, split
from ingest_api.domain.events import keys_for, ready
from ingest_api.ports import Stream
from millrace.event import EventLimits

MAX_EVENTS = 500  # as many as one PutRecords call takes


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent, and when it arrived."""

    body: bytes
    content_encoding: str
    idempotency_key: str | None
    arrival: datetime


@dataclass(frozen=True, slots=True)
class SentEvent:
    """What became of one event; `error` is None when it is on the stream."""

    index: int
    event_id: str
    error: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request's events, in their order."""

    events: tuple[SentEvent, ...]
    record_bytes: int
    retried: int

    @property
    def failed(self) -> tuple[SentEvent, ...]:
        """The events that are not known to be on the stream: those to send again."""
        return tuple(each for each in self.events if each.error is not None)


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """The use case, over its port."""

    stream: Stream
    limits: EventLimits
    max_body_bytes: int

    def accept(self, request: Request, within_s: float) -> Outcome:
        """Put the request's events on the stream, trying for about `within_s` seconds.

        Raises:
            Refusal: the body or an event of it is not acceptable; nothing was sent.
            ConfigError: a right or the stream is missing.
        """
        body = decoded(request.body, request.content_encoding, self.max_body_bytes)
        items = split(body, MAX_EVENTS)
        keys = keys_for(request.idempotency_key, len(items.events), in_array=items.in_array)
        events = ready(items.events, keys, request.arrival, self.limits)
        result = self.stream.put([event.record for event in events], within_s)
        return Outcome(
            tuple(
                SentEvent(index, event.event_id, result.failed.get(index))
                for index, event in enumerate(events)
            ),
            sum(event.record.size for event in events),
            result.retried,
        )
