"""`millrace run`: from nothing to settled events, step by step, and the account of it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from millrace.aggregates import AggregateRow, Dimension, Scope
from millrace.aws.aggregate_fields import row_json
from millrace_cli.aggregates import AggregateQuery
from millrace_cli.generate.plan import Plan
from millrace_cli.generate.sample import Sample
from millrace_cli.put import Source, stopping_explained
from millrace_cli.records import OutRecord, record_of
from millrace_cli.rows import row_of_line
from millrace_cli.sending import EventStream, Progress, send
from millrace_cli.settle import Goal, settle
from millrace_cli.status import Gap, StageCounts, Status, gap_dict

SAMPLE = Plan(seed=20251228, events=2_000, days=3)
EVENT_METRIC = "event_count"
SHOWN_TYPES = 3
SHOWN_HOURS = 48
_AGAIN = "run it again: what was sent counts as duplicates"


class Reporter(Protocol):
    """Shows people what is going on."""

    def step(self, text: str) -> None:
        """Begin a step."""
        ...

    def settling(self, status: Status, baseline: StageCounts, sent: int) -> None:
        """Show one reading while waiting."""
        ...


class Aggregates(Protocol):
    """Where aggregate rows are read."""

    def rows(self, query: AggregateQuery) -> Iterable[AggregateRow]:
        """Return the rows in order of time."""
        ...


@dataclass(frozen=True, slots=True)
class Sent:
    """What a run put on the stream."""

    records: int
    bytes: int
    retried: int
    seconds: float
    event_types: Mapping[str, int]
    what: str
    """The file, or what the sample holds."""
    last_placed: Mapping[str, int]
    """The highest sequence number on each shard."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """The account of one run: what went in, what came out, what is missing."""

    sent: Sent
    baseline: Status
    status: Status
    aggregates: Sequence[AggregateRow]
    quarantine: Mapping[str, int]
    """Why records of this run were quarantined."""
    archive_location: str
    seconds: float

    @property
    def run(self) -> StageCounts:
        """What came while the run lasted."""
        return self.status.totals - self.baseline.totals

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is unaccounted for: the records that never arrived first, old gaps last."""
        missing = self.sent.records - self.run.received
        lost = (Gap("records sent but not received", missing, "see `millrace status`"),)
        return (lost if missing > 0 else ()) + self.status.gaps_since(self.baseline)

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON and `.millrace/run.json`: this run and totals apart."""
        return {
            "run": {
                "what": self.sent.what,
                "sent": self.sent.records,
                "sent_bytes": self.sent.bytes,
                "retried": self.sent.retried,
                **self.run.as_dict(),
                "quarantined_by_reason": self.quarantine,
                "put_seconds": round(self.sent.seconds, 3),
                "seconds": round(self.seconds, 3),
                "unaccounted": [
                    gap_dict(gap) | {"before_this_run": gap.before_this_run} for gap in self.gaps
                ],
            },
            "totals": self.status.totals.as_dict(),
            "status": self.status.as_dict(),
            "aggregates": [row_json(row) for row in self.aggregates],
            "archive": self.archive_location,
        }


@dataclass(frozen=True, slots=True)
class RunSteps:
    """What a run does to the outside, so that a test can stand in for it."""

    read_status: Callable[[], Status]
    send: Callable[[], Sent]
    aggregates_of: Callable[[Sequence[str]], Sequence[AggregateRow]]
    quarantined_between: Callable[[Status, Status], Mapping[str, int]]
    archive_location: str
    clock: Callable[[], float]


def run_events(steps: RunSteps, reporter: Reporter, stall_s: float) -> RunReport:
    """Send the events into a deployed pipeline, wait until they settled, and account for them.

    Raises:
        CommandError: the events cannot be sent, or the pipeline cannot be read.
    """
    started = steps.clock()
    baseline = steps.read_status()
    sent = steps.send()
    reporter.step("Waiting until everything has settled")
    status = settle(
        steps.read_status,
        Goal(sent.records, baseline, sent.last_placed),
        stall_s,
        show=lambda seen: reporter.settling(seen, baseline.totals, sent.records),
    )
    shown = sorted(filter(None, sent.event_types), key=lambda name: -sent.event_types[name])
    return RunReport(
        sent=sent,
        baseline=baseline,
        status=status,
        aggregates=steps.aggregates_of(shown[:SHOWN_TYPES]),
        quarantine=steps.quarantined_between(baseline, status),
        archive_location=steps.archive_location,
        seconds=steps.clock() - started,
    )


def send_file(source: Source, stream: EventStream, progress: Progress) -> Sent:
    """Send a file whose rows have been checked.

    Raises:
        CommandError: says how many were sent, whether the stream refuses or the user interrupts.
    """
    with closing(source.records()) as records:
        seconds = _send_all(records, stream, progress)
    return _sent(progress, seconds, f"{progress.sent:,} events of {source.path}")


def send_sample(sample: Sample, stream: EventStream, progress: Progress) -> Sent:
    """Send a made-up sample; raises as `send_file` does."""
    records = (
        record_of(row_of_line(line, number)) for number, line in enumerate(sample.lines, start=1)
    )
    seconds = _send_all(records, stream, progress)
    return _sent(progress, seconds, f"a made-up sample of {sample.truth.summary()}")


def _send_all(records: Iterable[OutRecord], stream: EventStream, progress: Progress) -> float:
    """Send the records and return how many seconds it took."""
    started = time.perf_counter()
    with stopping_explained(progress, lambda: _AGAIN if progress.sent else "run it again"):
        send(records, stream, progress)
    return round(time.perf_counter() - started, 3)


def _sent(progress: Progress, seconds: float, what: str) -> Sent:
    return Sent(
        records=progress.sent,
        bytes=progress.sent_bytes,
        retried=progress.retried,
        seconds=seconds,
        event_types=progress.event_types,
        what=what,
        last_placed=progress.last_placed,
    )


def latest_hours(table: Aggregates, event_types: Sequence[str]) -> list[AggregateRow]:
    """Return the latest two days' hourly counts of each event type, in order of time."""
    rows: list[AggregateRow] = []
    for event_type in event_types:
        query = AggregateQuery(Scope.of(Dimension.TYPE, event_type), metric=EVENT_METRIC)
        rows += list(table.rows(query))[-SHOWN_HOURS:]
    return rows


def write_report(file: Path, report: RunReport) -> None:
    """Replace `file` by the report as JSON."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(orjson.dumps(report.as_dict(), option=orjson.OPT_INDENT_2) + b"\n")
