"""Checks of what arrived lately against what arrived before: rejects, lag, hot scopes."""

from collections.abc import Mapping
from datetime import timedelta

from millrace.investigate.cockpit.findings import Check, Finding, Severity, many, millrace, span
from millrace.investigate.cockpit.readings import Readings, TrafficPart
from millrace.investigate.cockpit.thresholds import Thresholds
from millrace.lag import merged, quantile_ms
from millrace.times import format_ms

_P99 = 0.99
_UNITS_A_COMMIT = 4
"""A transactional write of a row takes two units, and a scope has an hour's and a day's row.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
"""


def check_rejects(seen: Readings, limits: Thresholds) -> Check:
    """Find that quarantine rises; the number is records rejected lately."""
    recent, usual = seen.recent, seen.usual
    looked_at = (
        f"{recent.rejected:,} of {recent.records:,} records rejected since "
        f"{format_ms(recent.start)}, {usual.rejected:,} of {usual.records:,} before"
    )
    if not _rejects_rose(recent, usual, limits):
        return Check("rejects", looked_at)
    before = f"{usual.rejected_share:.2%} before" if usual.records else "nothing arrived before"
    finding = Finding(
        Severity.WARNING, f"{recent.rejected_share:.2%} of records are rejected, {before}",
        recent.rejected, millrace("quarantine", "stats", *_since(recent)),
        millrace("quarantine", "list", *_since(recent)), "quarantine rises", recent.start,
    )  # fmt: skip
    return Check("rejects", looked_at, (finding,))


def _rejects_rose(recent: TrafficPart, usual: TrafficPart, limits: Thresholds) -> bool:
    if recent.rejected < limits.rejected_least:
        return False
    if not usual.records:
        return recent.rejected_share > limits.rejected_share
    return recent.rejected_share > limits.times_usual * usual.rejected_share


def check_lag(seen: Readings, limits: Thresholds) -> Check:
    """Find sources, or the pipeline, that lag more than usual; the number is p99 in ms."""
    recent, usual = seen.recent, seen.usual
    found = [
        Finding(
            Severity.WARNING, f"events of {source} arrive {_rise(risen)} after their time (p99)",
            risen[0], millrace("lag", "--source", source, *_since(recent)),
            why="the source is late, or sends what is old", since=recent.start,
        )
        for source, histogram in sorted(recent.lag_by_source.items())
        if (risen := _risen(histogram, usual.lag_by_source.get(source, {}), limits))
    ]  # fmt: skip
    if risen := _risen(recent.pipeline_lag, usual.pipeline_lag, limits):
        what = f"events are archived {_rise(risen)} after their arrival (p99)"
        found.append(
            Finding(Severity.WARNING, what, risen[0], millrace("lag", *_since(recent)),
                    why="a stage is slower than usual", since=recent.start)
        )  # fmt: skip
    return Check("lag", _lag_looked_at(recent), tuple(found))


def _lag_looked_at(recent: TrafficPart) -> str:
    everything = merged(recent.lag_by_source.values())
    if not everything:
        return f"nothing arrived since {format_ms(recent.start)}"
    archived = "none archived yet"
    if recent.pipeline_lag:
        archived = f"archived {_said(quantile_ms(recent.pipeline_lag, _P99))} after arrival"
    return (
        f"p99 of {many(len(recent.lag_by_source), 'source')} since {format_ms(recent.start)}: "
        f"{_said(quantile_ms(everything, _P99))} behind; {archived}"
    )


def _risen(
    recent: Mapping[int, int], usual: Mapping[int, int], limits: Thresholds
) -> tuple[float, float] | None:
    """Return p99 now and before if it rose; None if it did not, or nobody can tell."""
    if min(sum(recent.values()), sum(usual.values())) < limits.events_least:
        return None
    now, before = quantile_ms(recent, _P99), quantile_ms(usual, _P99)
    rose = now > limits.times_usual * before and now - before >= limits.lag_least_ms
    return (now, before) if rose else None


def _rise(risen: tuple[float, float]) -> str:
    return f"{_said(risen[0])}, usually {_said(risen[1])},"


def _said(ms: float) -> str:
    if ms < 1_000:
        return f"{ms:.0f} ms"
    return f"{ms / 1_000:.1f} s" if ms < 60_000 else span(timedelta(milliseconds=ms))


def check_hot_scopes(seen: Readings, limits: Thresholds) -> Check:
    """Find scopes whose rows take much of what one key may; the number is write units a second."""
    units = {
        scope: commits * _UNITS_A_COMMIT / 60
        for scope, commits in seen.recent.busiest_minute.items()
    }
    hottest = max(units, key=lambda scope: units[scope], default=None)
    told = f", the hottest {hottest} with up to {units[hottest]:.1f} units/s" if hottest else ""
    found = tuple(
        Finding(
            Severity.WARNING, f"{scope} takes up to {taken:.0f} write units a second", taken,
            millrace("aggregates", "--scope", scope, "--window", "hour"),
            why="add it to the variable hot_scopes unless it is there: its rows are spread then",
            since=seen.recent.start,
        )
        for scope, taken in sorted(units.items())
        if taken >= limits.hot_write_units
    )  # fmt: skip
    return Check(
        "hot_scopes", f"{many(len(units), 'type or source', 'types and sources')}{told}", found
    )


def _since(part: TrafficPart) -> tuple[str, str]:
    return "--from", format_ms(part.start)
