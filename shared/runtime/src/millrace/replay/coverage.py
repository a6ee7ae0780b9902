"""Which rows of a replay's version hold a whole window, so that live may be compared with them.

A row is whole if every event that live counted into it is selected: the window of event time lies
within the selection's, and each selector is implied by the row's scope or by the metric itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from millrace.aggregates import AggregateKey, Dimension, Scope
from millrace.definitions import Grouping, Metric, Mode
from millrace.keys import id_in_keys
from millrace.replay.selection import Selection
from millrace.times import format_ms
from millrace.windows import Window, WindowWidth, window_of


@dataclass(frozen=True, slots=True)
class WindowCoverage:
    """The windows of one width that a selection touches."""

    width: WindowWidth
    whole: int
    first_whole: datetime | None
    """Start of the first whole window; None if there is none."""
    last_whole: datetime | None
    partial: tuple[str, ...]
    """Labels of the windows that the selection covers in part: at most two."""

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "width": self.width.value,
            "whole": self.whole,
            "first_whole": format_ms(self.first_whole) if self.first_whole else None,
            "last_whole": format_ms(self.last_whole) if self.last_whole else None,
            "partial": list(self.partial),
        }


@dataclass(frozen=True, slots=True)
class MetricCoverage:
    """One metric by one dimension: in which scopes a whole window is a whole row."""

    metric: str
    dimension: str
    whole_scopes: str
    """`all`, `none`, or the one scope that is whole, as `ENTITY user_1`."""
    live: bool
    """Whether live computes it at all; else diff finds no live value."""

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "metric": self.metric,
            "dimension": self.dimension,
            "whole_scopes": self.whole_scopes,
            "live": self.live,
        }


@dataclass(frozen=True, slots=True)
class Coverage:
    """Tells whole rows from partial ones under one selection."""

    selection: Selection
    metrics: Mapping[str, Metric]

    @classmethod
    def of(cls, selection: Selection, metrics: Iterable[Metric]) -> "Coverage":
        """Return the coverage of the metrics that a replay computes."""
        return cls(selection, {metric.name: metric for metric in metrics})

    def is_whole(self, key: AggregateKey) -> bool:
        """Tell whether the row holds everything that live counted into it."""
        window = key.window
        within = self.selection.start <= window.start and window.end <= self.selection.end
        metric = self.metrics.get(key.metric)
        if not within or metric is None:
            return False
        scope = (key.scope.dimension, key.scope.ids[0])
        return all(need in (None, scope) for need in self._needs(metric))

    def whole_rows(self) -> tuple[set[Scope], set[Dimension]]:
        """Return where whole rows can be: in these scopes, and in any scope of these dimensions."""
        scopes, dimensions = set[Scope](), set[Dimension]()
        touched = {each.width for each in self.windows() if each.whole}
        for metric in self.metrics.values():
            needs = {need for need in self._needs(metric) if need is not None}
            for grouping in metric.dimensions if touched.intersection(metric.windows) else ():
                if not needs:
                    dimensions.add(grouping.dimension)
                scopes |= {
                    Scope.of(dimension, identifier)
                    for dimension, identifier in needs
                    if len(needs) == 1 and dimension is grouping.dimension
                }
        return scopes, dimensions

    def is_live(self, metric: str) -> bool:
        """Tell whether live computes a metric of that name."""
        return metric in self.metrics and self.metrics[metric].mode is Mode.LIVE

    def windows(self) -> list[WindowCoverage]:
        """Return the windows of each width that some metric has, hours first."""
        asked = {width for metric in self.metrics.values() for width in metric.windows}
        return [self._windows_of(width) for width in WindowWidth if width in asked]

    def to_fields(self) -> dict[str, Any]:
        """Return the JSON form of all of it."""
        return {
            "windows": [each.to_fields() for each in self.windows()],
            "metrics": [each.to_fields() for each in self.by_metric()],
        }

    def by_metric(self) -> list[MetricCoverage]:
        """Return what is whole, metric by metric and dimension by dimension."""
        return [
            MetricCoverage(
                name,
                str(grouping),
                self._whole_scopes(metric, grouping),
                metric.mode is Mode.LIVE,
            )
            for name, metric in self.metrics.items()
            for grouping in metric.dimensions
        ]

    def _needs(self, metric: Metric) -> list[tuple[Dimension, str] | None]:
        """Return for each selector the scope that implies it; None if the metric does."""
        chosen = self.selection
        needs: list[tuple[Dimension, str] | None] = []
        if chosen.entity_id is not None:
            needs.append((Dimension.ENTITY, id_in_keys(chosen.entity_id)))
        if chosen.source is not None:
            needs.append((Dimension.SOURCE, id_in_keys(chosen.source)))
        if chosen.event_type is not None:
            only = metric.event_types == (chosen.event_type,)
            needs.append(None if only else (Dimension.TYPE, id_in_keys(chosen.event_type)))
        return needs

    def _whole_scopes(self, metric: Metric, grouping: Grouping) -> str:
        needs = {need for need in self._needs(metric) if need is not None}
        if not needs:
            return "all"
        if len(needs) > 1:
            return "none"
        (wanted, identifier) = needs.pop()
        return f"{wanted.name} {identifier}" if wanted is grouping.dimension else "none"

    def _windows_of(self, width: WindowWidth) -> WindowCoverage:
        start, end = self.selection.start, self.selection.end
        first = window_of(start, width)
        if first.start < start:
            first = Window(first.end, width)
        stop = window_of(end, width).start
        whole = max(0, (stop - first.start) // width.span)
        edges = dict.fromkeys(
            window.label
            for window in (window_of(start, width), window_of(end, width))
            if (window.start < start and window.end > start) or (window.start < end < window.end)
        )
        last = stop - width.span if whole else None
        return WindowCoverage(width, whole, first.start if whole else None, last, tuple(edges))
