"""The OpenAPI 3.1 document of POST /ingest, made of the models: `python -m ingest_api.openapi`.

Checked in as docs/openapi/ingest.json; a test fails when the two differ.
"""

import sys
from copy import deepcopy
from typing import Any

from ingest_api.answers import Accepted, NotAllQueued, Problem
from ingest_api.domain.events import MAX_KEY_CHARACTERS, MAX_RECORD_BYTES
from ingest_api.service import MAX_EVENTS
from millrace.event import EventFields
from millrace.openapi import (
    GATEWAY_REFUSALS,
    answer,
    document_of,
    problem,
    reference,
    rendered,
    schemas_of,
    unavailable,
)

VERSION = "1.0.0"
_EXAMPLE = {
    "event_type": "view",
    "entity_id": "user_123",
    "event_time": "2025-12-28T09:30:00.123Z",
    "source": "web",
    "client_id": "shop-eu",
    "payload": {"page": "/"},
}
_DESCRIPTION = f"""\
Puts events on the pipeline's Kinesis stream.

**202 means queued.** The events are on the stream: neither stored nor deduplicated yet. Ingest does
both within seconds; the answer's `event_id` is what to ask for.

**All or nothing, then item by item.** Events are validated as ingest validates them. If one is
invalid none is sent (422). Once all are valid they are sent, and what Kinesis refuses is sent again
within the request's time; if some still fail the answer (503) says which: send exactly those again.

**Sending again is safe.** An event's identity is its `event_id`; else a hash of `source` and
`idempotency_key`; else a hash of its content. Nothing that varies is added, so the same request
sent twice is all duplicates, and duplicates have no effect. An answer that never came (a timeout,
500, 502, 504) may stand for events that were queued: send the same again.

**Order.** Events of one entity keep the order of requests, as long as a client waits for an answer
before it sends the next; within one request, and where some are sent again, Kinesis keeps none.

**Limits.** {MAX_EVENTS} events a request; {MAX_RECORD_BYTES} bytes an event together with its \
partition key (the entity
id); 10 MB a request at the gateway, and 6 MB behind it, where JSON is escaped and anything else
grows by a third in base64; 10 MiB decompressed. Send large requests with gzip.

**gzip.** Send `Content-Encoding: gzip` together with a `Content-Type` that is not text or JSON, as
`application/octet-stream`: by the content type alone the gateway decides whether it hands on bytes.
"""


def document() -> dict[str, Any]:
    """Return the document."""
    return document_of(
        title="ingest",
        version=VERSION,
        description=_DESCRIPTION,
        paths={"/ingest": {"post": _operation()}},
        schemas=_schemas(),
    )


def _operation() -> dict[str, Any]:
    event = reference("Event")
    body = {
        "oneOf": [
            event,
            {"type": "array", "items": event, "minItems": 1, "maxItems": MAX_EVENTS},
        ]
    }
    return {
        "operationId": "ingest",
        "summary": "Queue one event, or an array of events",
        "parameters": [_idempotency_key(), _content_encoding()],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": body,
                    "examples": {
                        "one": {"value": _EXAMPLE},
                        "several": {"value": [_EXAMPLE, {**_EXAMPLE, "entity_id": "user_7"}]},
                    },
                },
                "application/octet-stream": {},  # the same, compressed
            },
        },
        "responses": {
            "202": answer("All events are queued: neither stored nor deduplicated yet.", Accepted),
            "400": problem("Not JSON, bad gzip, an empty array, or a bad Idempotency-Key."),
            "413": problem("Too many events or bytes, or an event too large for the stream."),
            "415": problem("A content encoding other than gzip."),
            "422": problem("Some events are invalid; none was sent. `errors` names them all."),
            "500": problem("The deployment is faulty."),
            "503": unavailable(
                "Some events, or all, could not be queued in time. `events` says which; send "
                "exactly the failed ones again, with the identity they had (an injected key "
                "included).",
                NotAllQueued,
            ),
            **GATEWAY_REFUSALS,
        },
    }


def _idempotency_key() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY_CHARACTERS},
        "description": "Becomes the `idempotency_key` of each event that has neither `event_id` "
        "nor `idempotency_key`: the key itself for a single event, and for an array the key, `#` "
        "and the event's index from 0 (so keep the order when you send it again, and send all of "
        "it: an index is a place in its array). Taken as it is, quotes included. Two different "
        "events of one source under one key are duplicates: the second has no effect.",
    }


def _content_encoding() -> dict[str, Any]:
    return {
        "name": "Content-Encoding",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "enum": ["gzip", "identity"]},
        "description": "`gzip` for a compressed body.",
    }


def _schemas() -> dict[str, Any]:
    schemas = schemas_of(read=(EventFields,), written=(Accepted, Problem, NotAllQueued))
    return {"Event": _event(schemas.pop("EventFields")), **schemas}


def _event(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an event, with what the model's types cannot say."""
    schema = deepcopy(fields)
    schema["title"] = "Event"
    properties = schema["properties"]
    properties["event_time"] |= {
        "format": "date-time",
        "description": "RFC 3339 with an offset; at most a set skew ahead of the request.",
    }
    # \z is the end in Rust; in ECMA-262, which JSON Schema uses, $ is.
    properties["source"]["pattern"] = properties["source"]["pattern"].replace(r"\z", "$")
    return schema


if __name__ == "__main__":
    sys.stdout.write(rendered(document()))
