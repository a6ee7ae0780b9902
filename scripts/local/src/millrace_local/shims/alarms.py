"""CloudWatch alarms: judged by AWS's rules, every few seconds, on the metrics they name.

ministack judges an alarm when somebody puts data, on all dimensions at once, without M out of N,
without missing data and without metric math.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from millrace_local.shims.alarm_figures import newest_periods
from millrace_local.shims.alarm_state import state_of
from millrace_local.shims.metric_math import UnknownExpression
from millrace_local.shims.patching import attribute, replace

_CLOUDWATCH = "services.cloudwatch"
EVERY_S = 5.0


def judge_as_aws_does(before: Callable[[], None], every_s: float = EVERY_S) -> None:
    """Judge all alarms every so often, each time after `before`."""
    judged = judging(time.time)
    replace(_CLOUDWATCH, "_evaluate_alarm", judged)
    replace(_CLOUDWATCH, "_evaluate_all_alarms", lambda: None)  # the clock does it
    alarms = attribute(_CLOUDWATCH, "_alarms")
    everywhere = attribute(_CLOUDWATCH, "_alarms._data")  # of every account and region
    scope = attribute("core.responses", "request_scope")

    def judge_all() -> None:
        for account, region in {key[:2] for key in list(everywhere)}:
            with scope(account, region):
                for alarm in alarms.values():
                    judged(alarm)

    threading.Thread(target=_for_ever, args=(every_s, before, judge_all), daemon=True).start()


def _for_ever(every_s: float, *steps: Callable[[], None]) -> None:
    log = attribute(_CLOUDWATCH, "logger")
    while True:
        time.sleep(every_s)
        for step in steps:
            try:
                step()
            except Exception:  # the next round has another chance; the engine must go on
                log.exception("alarms not judged")


def judging(clock: Callable[[], float]) -> Callable[[dict[str, Any]], None]:
    """Return what sets an alarm's state by its metrics, and tells whom it names."""
    metrics = attribute(_CLOUDWATCH, "_metrics")
    dimensions_of = attribute(_CLOUDWATCH, "_dims_from_list")
    key_of = attribute(_CLOUDWATCH, "_dims_key")

    def judge(alarm: dict[str, Any]) -> None:
        def read(
            metric: Mapping[str, Any], statistic: str, period_s: int, count: int
        ) -> Sequence[float | None]:
            dimensions = key_of(dimensions_of(metric.get("Dimensions") or []))
            points = metrics.get((metric["Namespace"], metric["MetricName"], dimensions)) or []
            return newest_periods(points, statistic, period_s, count, clock())

        try:
            state, reason = state_of(alarm, read)
        except (KeyError, UnknownExpression) as err:
            alarm["StateReason"] = f"Not judged by the local engine: {err}"
            return
        if state != alarm["StateValue"]:
            _change(alarm, state, reason, int(clock()))

    return judge


def _change(alarm: dict[str, Any], state: str, reason: str, now: int) -> None:
    before = alarm["StateValue"]
    alarm.update(StateValue=state, StateReason=reason, StateUpdatedTimestamp=now)
    attribute(_CLOUDWATCH, "_record_history")(alarm["AlarmName"], before, state, reason)
    attribute(_CLOUDWATCH, "_dispatch_alarm_actions")(alarm, before, state, reason)
    attribute(_CLOUDWATCH, "_evaluate_parent_alarms")(alarm)
