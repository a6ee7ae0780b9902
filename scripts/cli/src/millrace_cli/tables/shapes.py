"""The shapes that all answers share: durations, bars, tables that fold, and how much was read."""

from collections.abc import Mapping

from rich.bar import Bar
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from millrace.investigate.lag import Quantiles
from millrace.investigate.walking import Coverage
from millrace.lag import upper_ms
from millrace.read_cost import ReadCost
from millrace.times import format_ms

_BAR_CELLS = 40
_STEPS_MS = (0, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 21_600_000, 86_400_000, 604_800_000)
"""Upper bounds of the bars of a distribution; beyond the last there is one more."""


def duration(ms: float | None) -> str:
    """Return a duration as people say it: `850 ms`, `12.3 s`, `4 min 10 s`, `3 h 05 min`."""
    if ms is None:
        return "-"
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    if ms < 1_000:
        return f"{sign}{ms:.0f} ms"
    if ms < 60_000:
        return f"{sign}{ms / 1_000:.1f} s"
    minutes, seconds = divmod(round(ms / 1_000), 60)
    if minutes < 60:
        return f"{sign}{minutes} min {seconds:02d} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{sign}{hours} h {minutes:02d} min"
    days, hours = divmod(hours, 24)
    return f"{sign}{days} d {hours} h"


def percent(share: float) -> str:
    """Return a share in percent: `0.42 %`."""
    return f"{share * 100:.2f} %"


def folding(*columns: str, right: tuple[str, ...] = (), title: str | None = None) -> Table:
    """Return a table whose cells are never cut off; `right` are the columns of numbers."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in right else "left",
            overflow="fold",
            no_wrap=column in right,
        )
    return table


def text(value: object) -> str:
    """Return a value from outside, so that no markup in it counts."""
    return "-" if value is None else escape(str(value))


def bar(value: float, largest: float) -> RenderableType:
    """Return a bar that is as long as `value` is of `largest`."""
    return Bar(largest or 1, 0, value, width=_BAR_CELLS)


def show_distribution(console: Console, title: str, of: Quantiles) -> None:
    """Print a histogram as bars, one for each order of magnitude that people think in."""
    if not of.histogram:
        return
    counts = _by_step(of.histogram)
    table = folding("up to", "events", "", right=("up to", "events"), title=title)
    steps = [duration(step) if step else "0" for step in _STEPS_MS] + ["more"]
    used = [number for number, count in enumerate(counts) if count]
    for number in range(used[0], used[-1] + 1):
        table.add_row(steps[number], f"{counts[number]:,}", bar(counts[number], max(counts)))
    console.print(table)


def _by_step(histogram: Mapping[int, int]) -> list[int]:
    counts = [0] * (len(_STEPS_MS) + 1)
    for bucket, events in histogram.items():
        ms = upper_ms(bucket)
        step = next((n for n, bound in enumerate(_STEPS_MS) if ms <= bound), len(_STEPS_MS))
        counts[step] += events
    return counts


def quantile_cells(of: Quantiles) -> list[str]:
    """Return p50, p90, p99 and the maximum as cells."""
    told = of.as_json()
    return [duration(told[name]) for name in ("p50_ms", "p90_ms", "p99_ms", "max_ms")]


def show_coverage(console: Console, coverage: Coverage) -> None:
    """Print what the answer is about, and how to go on if it is not all of it."""
    period = f"{format_ms(coverage.period.start)} to {format_ms(coverage.period.end)}"
    console.print(f"{coverage.commits:,} commits that arrived from {period}")
    if coverage.ended_by is not None:
        console.print(
            f"[yellow]The answer is not whole: its {coverage.ended_by} ran out.[/yellow] "
            f"Allow more (--max-pages, --deadline), or go on with --cursor {coverage.cursor}"
        )


def show_cost(console: Console, cost: ReadCost) -> None:
    """Print what the answer took."""
    console.print(
        f"read: {cost.queries:,} query pages, {cost.units:,.1f} read units, "
        f"{cost.objects:,} objects or ranges"
    )
