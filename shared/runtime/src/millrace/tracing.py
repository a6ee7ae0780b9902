"""X-Ray subsegments that carry the correlation id: from an event's commit to its every trace.

Lambda's own segments say which function ran, and SQS links the traces of sender and consumer, since
botocore hands the trace header on. Neither knows a commit. So each stage adds one subsegment a
reference, annotated with its ids: the filter `annotation.correlation_id = "..."` then finds every
trace that had a part in it.

The document is sent to the daemon that Lambda runs beside a function, in one datagram:
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html
Not by the X-Ray SDK, which is in maintenance mode and brings botocore into each zip, nor by AWS's
OpenTelemetry distribution, which brings 78 packages: this is all that is needed of them.
https://docs.aws.amazon.com/xray/latest/devguide/xray-sdk-daemon-timeline.html
"""

import os
import secrets
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import orjson

from millrace.clock import Clock, SystemClock

# Both are set by Lambda, the first anew for each invocation:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
_TRACE = "_X_AMZN_TRACE_ID"
_DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
_HEADER = b'{"format": "json", "version": 1}\n'
_LONGEST = 250  # characters of a value, unless the page above says otherwise


@dataclass(frozen=True, slots=True)
class _Trace:
    """The segment of this invocation, as the trace header names it."""

    trace_id: str
    parent_id: str

    @classmethod
    def current(cls) -> "_Trace | None":
        """Return it; None where nothing is traced, or this invocation is not sampled."""
        pairs = (part.partition("=") for part in os.environ.get(_TRACE, "").split(";"))
        fields = {name.strip(): value.strip() for name, _, value in pairs}
        if fields.get("Sampled") != "1" or not {"Root", "Parent"} <= fields.keys():
            return None
        return cls(fields["Root"], fields["Parent"])


@contextmanager
def traced(
    name: str, pieces: Sequence[Mapping[str, str]], clock: Clock | None = None
) -> Iterator[set[int]]:
    """Send a subsegment over the time of the block for each piece of work that it does.

    name: of the subsegment, 200 characters at most.
    pieces: annotations of each, by names of letters, digits and underscores.
    Yields: numbers of the pieces that failed, from 0, for the block to fill; an exception that
        leaves it fails all.
    A trace is never worth an event: what cannot be sent is left out without a word.
    """
    trace, clock, failed = _Trace.current(), clock or SystemClock(), set[int]()
    started = clock.now().timestamp()
    try:
        yield failed
    except BaseException:
        failed.update(range(len(pieces)))
        raise
    finally:
        if trace is not None:
            times = started, clock.now().timestamp()
            _send(
                _document(trace, name, piece, times, fault=number in failed)
                for number, piece in enumerate(pieces)
            )


def _document(
    trace: _Trace,
    name: str,
    annotations: Mapping[str, str],
    times: tuple[float, float],
    *,
    fault: bool,
) -> bytes:
    fields: dict[str, object] = {
        "type": "subsegment",
        "name": name,
        "id": secrets.token_hex(8),
        "trace_id": trace.trace_id,
        "parent_id": trace.parent_id,
        "start_time": times[0],
        "end_time": times[1],
        "annotations": {key: value[:_LONGEST] for key, value in annotations.items()},
    }
    if fault:
        fields["fault"] = True
    return orjson.dumps(fields)


def _send(documents: Iterable[bytes]) -> None:
    host, _, port = os.environ.get(_DAEMON, "").rpartition(":")
    if not host or not port.isdecimal():
        return
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        for document in documents:
            daemon.sendto(_HEADER + document, (host, int(port)))
