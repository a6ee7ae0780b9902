"""`millrace run`: from nothing to settled events, step by step, and the account of it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import orjson

from millrace.aggregates import AggregateRow, Dimension, Scope
from millrace_cli.aggregates import AggregateQuery, row_fields
from millrace_cli.put import Source, put
from millrace_cli.sample import make_sample
from millrace_cli.sending import EventStream, Progress, send
from millrace_cli.settle import settle
from millrace_cli.status import Gap, StageCounts, Status, gap_dict

EVENT_METRIC = "event_count"
SHOWN_TYPES = 3
SHOWN_HOURS = 48


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


@dataclass(frozen=True, slots=True)
class RunReport:
    """The account of one run: what went in, what came out, what is missing."""

    sent: Sent
    run: StageCounts
    status: Status
    aggregates: Sequence[AggregateRow]
    archive_location: str
    seconds: float

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What is unaccounted for, the records that never arrived first."""
        missing = self.sent.records - self.run.received
        lost = (Gap("records sent but not received", missing, "see `millrace status`"),)
        return (lost if missing > 0 else ()) + self.status.gaps

    def as_dict(self) -> dict[str, Any]:
        """Return the report for JSON and `.millrace/run.json`: this run and totals apart."""
        return {
            "run": {
                "what": self.sent.what,
                "sent": self.sent.records,
                "sent_bytes": self.sent.bytes,
                "retried": self.sent.retried,
                **self.run.as_dict(),
                "put_seconds": round(self.sent.seconds, 3),
                "seconds": round(self.seconds, 3),
                "unaccounted": [gap_dict(gap) for gap in self.gaps],
            },
            "totals": self.status.totals.as_dict(),
            "status": self.status.as_dict(),
            "aggregates": [row_fields(row) for row in self.aggregates],
            "archive": self.archive_location,
        }


@dataclass(frozen=True, slots=True)
class RunSteps:
    """What a run does to the outside, so that a test can stand in for it."""

    read_status: Callable[[], Status]
    send: Callable[[], Sent]
    aggregates_of: Callable[[Sequence[str]], Sequence[AggregateRow]]
    archive_location: str
    clock: Callable[[], float]


def run_events(steps: RunSteps, reporter: Reporter, stall_s: float) -> RunReport:
    """Send the events into a deployed pipeline, wait until they settled, and account for them.

    Raises:
        CommandError: the events cannot be sent, or the pipeline cannot be read.
    """
    started = steps.clock()
    baseline = steps.read_status().totals
    sent = steps.send()
    reporter.step("Waiting until everything has settled")
    status = settle(
        steps.read_status,
        baseline.received + sent.records,
        stall_s,
        show=lambda seen: reporter.settling(seen, baseline, sent.records),
    )
    shown = sorted(filter(None, sent.event_types), key=lambda name: -sent.event_types[name])
    return RunReport(
        sent=sent,
        run=status.totals - baseline,
        status=status,
        aggregates=steps.aggregates_of(shown[:SHOWN_TYPES]),
        archive_location=steps.archive_location,
        seconds=steps.clock() - started,
    )


def send_file(source: Source, stream: EventStream, progress: Progress) -> Sent:
    """Send a file; see `millrace_cli.put.put`."""
    summary = put(source, stream, progress)
    return _sent(progress, summary.seconds, f"{summary.sent:,} events of {source.path}")


def send_sample(stream: EventStream, progress: Progress) -> Sent:
    """Send the made-up sample."""
    sample = make_sample()
    started = time.perf_counter()
    send(sample.records, stream, progress)
    return _sent(
        progress,
        time.perf_counter() - started,
        f"a made-up sample: {sample.distinct:,} events, {sample.duplicates:,} of them twice, "
        f"{sample.malformed:,} malformed records",
    )


def _sent(progress: Progress, seconds: float, what: str) -> Sent:
    return Sent(
        progress.sent, progress.sent_bytes, progress.retried, seconds, progress.event_types, what
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
