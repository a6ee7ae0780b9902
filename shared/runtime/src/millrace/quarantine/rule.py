"""A declared rule: what it makes of a rejected record, and the hash that names it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from millrace.quarantine.document import Encoding, read_document, write_document
from millrace.quarantine.steps import Step

TRACE_FIELD = "correlation_id"
"""The one field that is no part of an event's identity (`millrace.identity`)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Steps in order. Without steps and encoding, records are sent as they are."""

    steps: tuple[Step, ...] = ()
    encoding: Encoding | None = None
    """What the bytes are in truth, if they are not UTF-8."""

    @property
    def changes_nothing(self) -> bool:
        """It sends the bytes as they came: for a verdict that would be another one today."""
        return not self.steps and self.encoding is None

    @property
    def rule_hash(self) -> str:
        """16 hex digits; the same rule has the same, however its file is written."""
        return blake2b(self.canonical, digest_size=8, person=b"millrace-qrule").hexdigest()

    @property
    def canonical(self) -> bytes:
        """The rule as JSON with sorted keys, everything said."""
        return orjson.dumps(self.to_fields(), option=orjson.OPT_SORT_KEYS)

    def to_fields(self) -> Mapping[str, Any]:
        """Return the rule as its file writes it."""
        decode = {"decode": self.encoding} if self.encoding else {}
        return decode | {"steps": [step.to_fields() for step in self.steps]}

    def apply(self, data: bytes, trace: str) -> bytes:
        """Return the event that the rule makes of a record's bytes; the same ones every time.

        trace: where the record lies, kept in the event if it brings no correlation id. It is no
            part of the event's identity: the sender's own corrected copy is still a duplicate.

        Raises:
            NotADocument: the bytes are no JSON object.
            StepFailed: a step does not fit the record.
        """
        if self.changes_nothing:
            return data
        document = read_document(data, self.encoding)
        for step in self.steps:
            step.apply(document)
        document.setdefault(TRACE_FIELD, trace)
        return write_document(document)
