"""Lag for a person: bars, and the sources and types behind."""

from rich.console import Console

from millrace.investigate.lag import LagReport
from millrace_cli.tables.shapes import (
    bar,
    duration,
    folding,
    quantile_cells,
    show_coverage,
    show_distribution,
    text,
)

_QUANTILES = ("p50", "p90", "p99", "max")
_HOURS = 48


def show_lag(console: Console, report: LagReport) -> None:
    """Print how late events come in, by source and type, by hour, and how long stages take."""
    show_coverage(console, report.coverage)
    if not report.rows:
        console.print("No event arrived then: the period is one of arrivals, not of event times.")
        return
    show_distribution(console, "From the event to its arrival", report.total())
    table = folding(
        "source", "type", "events", *_QUANTILES, right=("events", *_QUANTILES), title="By source"
    )
    for (source, event_type), lag in report.by("source", "event_type"):
        table.add_row(text(source), text(event_type), f"{lag.events:,}", *quantile_cells(lag))
    console.print(table)
    _show_hours(console, report)
    stages = folding(
        "step", "events", *_QUANTILES, "waiting", right=("events", *_QUANTILES, "waiting"),
        title="Through the pipeline",
    )  # fmt: skip
    for row in report.stages:
        took = row.took
        stages.add_row(
            row.step, f"{took.events:,}", *quantile_cells(took), f"{row.waiting_events:,}"
        )
    console.print(stages)


def _show_hours(console: Console, report: LagReport) -> None:
    hours = report.by("hour")
    if len(hours) < 2:
        return
    told = [(hour, lag.events, lag.as_json()["p99_ms"]) for (hour,), lag in hours[-_HOURS:]]
    longest = max(p99_ms for _, _, p99_ms in told)
    table = folding("arrived in", "events", "p99", "", right=("events", "p99"), title="By hour")
    for hour, events, p99_ms in told:
        table.add_row(hour, f"{events:,}", duration(p99_ms), bar(p99_ms, longest))
    console.print(table)
