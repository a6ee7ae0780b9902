"""Lambda's own metrics: every call counts, whoever makes it.

ministack counts what comes by Invoke alone, and an asynchronous call before it has run: what
a queue's mapping or a schedule calls would never seem to fail.
https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
"""

from collections.abc import Callable
from typing import Any

from millrace_local.shims.patching import attribute, replace

Emit = Callable[..., None]
"""Of a function's name: duration_ms, error, throttle."""


def count_every_call() -> None:
    """Count a call where each one passes: where its log is written."""
    emit = attribute("services.lambda_svc", "_emit_lambda_metrics")
    log = attribute("services.lambda_svc", "_emit_lambda_logs")
    replace("services.lambda_svc", "_emit_lambda_metrics", throttles_only(emit))
    replace("services.lambda_svc", "_emit_lambda_logs", counting(log, emit))


def throttles_only(emit: Emit) -> Emit:
    """Return what counts a call that was refused, and no other."""

    def emit_throttle(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            emit(name, duration_ms=duration_ms, error=error, throttle=True)

    return emit_throttle


def counting(log: Callable[..., None], emit: Emit) -> Callable[..., None]:
    """Return what writes a call's log and counts the call."""

    def emit_logs(
        func: dict[str, Any],
        request_id: str,
        text: str,
        error: bool,
        duration_ms: int,
        **more: Any,  # noqa: ANN401 - ministack's
    ) -> None:
        log(func, request_id, text, error, duration_ms, **more)
        name = (func.get("config") or func).get("FunctionName", "unknown")
        emit(name, duration_ms=duration_ms, error=error, throttle=False)

    return emit_logs
