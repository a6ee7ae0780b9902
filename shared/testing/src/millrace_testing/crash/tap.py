"""A tap on ports: something happens at the n-th call of a service with fakes.

The wire (`millrace_testing.crash.wire`) does the same below boto3, on an engine; a tap is for
service tests, which have no calls on any wire.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass
class Tap:
    """Runs `action` at call number `at` (from 0), before or after the call takes effect."""

    at: int
    action: Callable[[], object]
    after: bool = False
    calls: int = 0

    def on(self, port: Any) -> Any:  # noqa: ANN401 - the port's own type, whatever it is
        """Return `port` with each of its calls counted here."""
        return _Tapped(port, self)


class _Tapped:
    def __init__(self, port: object, tap: Tap) -> None:
        self._port = port
        self._tap = tap

    def __getattr__(self, name: str) -> Callable[..., object]:
        method = getattr(self._port, name)
        tap = self._tap

        def call(*args: object, **kwargs: object) -> object:
            mine = tap.calls == tap.at
            tap.calls += 1
            if mine and not tap.after:
                tap.action()
            answer = method(*args, **kwargs)
            if mine and tap.after:
                tap.action()
            return answer

        return call
