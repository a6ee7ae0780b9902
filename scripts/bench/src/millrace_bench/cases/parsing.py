"""Parsing and identity: what an event costs before any AWS call."""

from datetime import timedelta

import orjson

from millrace.event import EventLimits, parse_event
from millrace_bench.figure import Figure
from millrace_bench.timing import best_s
from millrace_testing.builders import ARRIVAL, event_bytes

WHAT = "validate events and give them their ids, beside plain JSON parsing"

_EVENTS = 20_000


def run() -> list[Figure]:
    """Return events a second through one core."""
    lines = [event_bytes(n, payload={"page": f"/{n}", "fill": "x" * 200}) for n in range(_EVENTS)]
    limits, arrival = EventLimits(), ARRIVAL + timedelta(days=1)
    plain = best_s(lambda: [orjson.loads(line) for line in lines])
    parsed = best_s(lambda: [parse_event(line, arrival, limits) for line in lines])
    return [
        Figure("orjson.loads", _EVENTS / plain, "events/s"),
        Figure("parse_event", _EVENTS / parsed, "events/s", against="orjson.loads"),
    ]
