"""What a rule makes of quarantined records, and ingest's verdict on it, before anything is sent."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from millrace.errors import RejectedRecord
from millrace.event import Event, EventLimits, judge_event
from millrace.partition import MAX_KEY_BYTES
from millrace.quarantine.document import NotADocument
from millrace.quarantine.paths import StepFailed
from millrace.quarantine.reading import Held
from millrace.quarantine.record import QuarantinedRecord
from millrace.quarantine.rule import Rule
from millrace.reasons import RejectReason

NOT_PATCHABLE = "not_patchable"
"""The bytes are no JSON object: a rule has nothing to change."""
STEP_FAILED = "step_failed"
"""A step of the rule does not fit."""
# https://docs.aws.amazon.com/kinesis/latest/APIReference/API_PutRecordsRequestEntry.html
_RECORD_BYTES = 1024 * 1024 - MAX_KEY_BYTES


@dataclass(frozen=True, slots=True)
class Patched:
    """What became of one record. Exactly one of event and problem is set."""

    record: QuarantinedRecord
    data: bytes | None
    """The patched bytes; None if the rule could not make any."""
    event: Event | None = None
    problem: str | None = None
    """A reason of quarantine, or why the rule does not fit."""
    message: str = ""


def patched(record: QuarantinedRecord, rule: Rule, now: datetime, limits: EventLimits) -> Patched:
    """Return what the rule makes of a record, judged as ingest would had it arrived `now`.

    A verdict holds for every later arrival as well: times are only refused ahead of it.
    """
    try:
        data = rule.apply(record.data, f"quarantine/{record.place}")
    except NotADocument as err:
        return Patched(record, None, problem=NOT_PATCHABLE, message=str(err))
    except StepFailed as err:
        return Patched(record, None, problem=STEP_FAILED, message=str(err))
    try:
        event = judge_event(data, now, limits)
    except RejectedRecord as err:
        return Patched(record, data, problem=str(err.reason), message=err.message)
    if len(data) > _RECORD_BYTES:
        message = f"the event has {len(data)} bytes; the stream takes {_RECORD_BYTES}"
        return Patched(record, data, problem=RejectReason.TOO_LARGE.value, message=message)
    return Patched(record, data, event)


@dataclass(slots=True)
class Preview:
    """What recovering by a rule would do."""

    rule: Rule
    examples_per_reason: int = 1
    selected: int = 0
    valid: int = 0
    repeated: int = 0
    """Valid ones that another of the selection makes duplicates."""
    problems: Counter[str] = field(default_factory=Counter)
    """Of those that would still be rejected."""
    mended: Counter[str] = field(default_factory=Counter)
    """The valid ones, by the reason for which they were quarantined."""
    examples: list[Patched] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)
    _shown: Counter[tuple[str, str | None]] = field(default_factory=Counter)

    def add(self, outcome: Patched) -> None:
        """Count one more record."""
        self.selected += 1
        self._show(outcome)
        if outcome.event is None:
            self.problems[str(outcome.problem)] += 1
            return
        self.valid += 1
        self.mended[outcome.record.reason] += 1
        self.repeated += outcome.event.gate_key in self._seen
        self._seen.add(outcome.event.gate_key)

    def _show(self, outcome: Patched) -> None:
        kind = (outcome.record.reason, outcome.problem)
        if self._shown[kind] < self.examples_per_reason:
            self._shown[kind] += 1
            self.examples.append(outcome)


def preview(
    held: Iterable[Held], rule: Rule, now: datetime, limits: EventLimits, examples: int = 1
) -> Preview:
    """Judge what the rule makes of the records; nothing is sent, nothing marked.

    examples: how many to keep of each reason and outcome.
    """
    found = Preview(rule, examples)
    for each in held:
        found.add(patched(each.record, rule, now, limits))
    return found
