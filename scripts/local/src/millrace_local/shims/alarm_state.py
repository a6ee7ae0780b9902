"""An alarm's state from its figures, by CloudWatch's rules.

M out of N: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html
Missing data: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from millrace_local.shims.metric_math import value_of

ALARM, OK, INSUFFICIENT_DATA = "ALARM", "OK", "INSUFFICIENT_DATA"

Alarm = Mapping[str, Any]
"""As DescribeAlarms answers."""
Read = Callable[[Mapping[str, Any], str, int, int], Sequence[float | None]]
"""Newest periods of a metric, oldest first: metric, statistic, seconds of each, how many."""

# Periods that CloudWatch looks back beyond those it asks for, before it fills in what is missing.
_BEYOND = 2
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
}


def state_of(alarm: Alarm, read: Read) -> tuple[str, str]:
    """Return an alarm's state now, and why.

    Raises:
        KeyError: it compares as is not known here.
        UnknownExpression: its metric math is not.
    """
    periods = int(alarm["EvaluationPeriods"])
    figures = figures_of(alarm, read, periods + _BEYOND)
    compare = _COMPARISONS[alarm["ComparisonOperator"]]
    breaching = [None if each is None else compare(each, alarm["Threshold"]) for each in figures]
    needed = int(alarm.get("DatapointsToAlarm") or periods)
    missing = alarm.get("TreatMissingData") or "missing"
    state = judge(breaching, periods, needed, missing) or alarm["StateValue"]
    told = ", ".join("-" if each is None else f"{each:g}" for each in figures)
    sign = alarm["ComparisonOperator"]
    return state, f"{needed} of {periods} of [{told}] {sign} {alarm['Threshold']:g}"


def figures_of(alarm: Alarm, read: Read, count: int) -> Sequence[float | None]:
    """Return the newest figures that an alarm judges, oldest first; None: no data."""
    queries = alarm.get("Metrics")
    if not queries:
        statistic = alarm.get("ExtendedStatistic") or alarm["Statistic"]
        return read(alarm, statistic, int(alarm["Period"]), count)
    series = {
        query["Id"]: read(
            query["MetricStat"]["Metric"],
            query["MetricStat"]["Stat"],
            int(query["MetricStat"]["Period"]),
            count,
        )
        for query in queries
        if query.get("MetricStat")
    }
    (judged,) = (query for query in queries if query.get("ReturnData", True))
    if judged["Id"] in series:
        return series[judged["Id"]]
    rows = zip(*series.values(), strict=True)
    return [value_of(judged["Expression"], dict(zip(series, row, strict=True))) for row in rows]


def judge(breaching: Sequence[bool | None], periods: int, needed: int, missing: str) -> str | None:
    """Return the state that follows from each period, oldest first; None: it stays as it is.

    None among the periods is one without data. Real ones count before any is filled in.
    """
    real = [each for each in breaching if each is not None]
    if not real:
        none_at_all = {"breaching": ALARM, "notBreaching": OK, "ignore": None}
        return none_at_all.get(missing, INSUFFICIENT_DATA)
    filled = max(0, periods - len(real))
    bad = sum(real[-periods:])
    if bad >= needed or (missing == "breaching" and bad + filled >= needed):
        return ALARM
    if filled and all(real) and missing in ("ignore", "missing"):
        return None if missing == "ignore" else ALARM
    return OK
