"""Faults on the wire: every AWS call of a set of clients passes here and can be made to fail.

The fault sits below botocore's retries, where the network is, so a lost answer is retried by
botocore as it would be in production, and a crash takes everything above with it.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from threading import Event, Lock
from typing import Any

import orjson
from botocore.awsrequest import AWSResponse, HeadersDict
from botocore.exceptions import ReadTimeoutError

BATCHES = frozenset({"BatchExecuteStatement", "BatchGetItem"})
"""The calls whose answer can be partial."""
_THROTTLED = (
    b'{"__type":"com.amazonaws.dynamodb.v20120810#ThrottlingException","message":"injected"}'
)


class Crash(BaseException):
    """The process died at this call. Not an Exception: nothing may catch it and carry on."""


class FaultKind(StrEnum):
    """How a call goes wrong."""

    CRASH_BEFORE = "crash before the call reached AWS"
    CRASH_AFTER = "crash after it took effect, before the answer"
    TIMEOUT_AFTER = "answer lost after it took effect; botocore retries"
    THROTTLED = "throttled once; botocore retries"
    PARTIAL_ANSWER = "only the first half of the batch is done, this time and every next"
    PAUSE_BEFORE = "zombie: paused before the call, goes on after the retry"
    PAUSE_AFTER = "zombie: paused after the call, goes on after the retry"


NOT_THE_CLIENT_S = (
    FaultKind.CRASH_BEFORE,
    FaultKind.CRASH_AFTER,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.PAUSE_AFTER,
)
"""Without what the clients' own retries mend, alike in every story: one story shows that."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong, at call number `call` (from 0)."""

    call: int
    kind: FaultKind

    def __str__(self) -> str:
        """Name the place and the kind."""
        return f"call {self.call}, {self.kind}"


class Wire:
    """Counts the calls of its clients in order, and carries out the armed fault once."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.paused = Event()
        self._resume = Event()
        self._fault: Fault | None = None
        self._lock = Lock()

    def attach(self, client: Any) -> None:  # noqa: ANN401 - any boto3 client
        """Route the client's HTTP traffic through this wire."""
        endpoint = client._endpoint  # noqa: SLF001 - botocore has no public seam below its retries
        endpoint.http_session = _Session(endpoint.http_session, self)

    def arm(self, fault: Fault | None) -> None:
        """Start counting anew; the next run meets `fault`."""
        self.calls = []
        self.paused = Event()
        self._resume = Event()
        self._fault = fault

    def resume(self) -> None:
        """Let a paused call go on."""
        self._resume.set()

    def pass_through(self, request: Any, send: Callable[[Any], AWSResponse]) -> AWSResponse:  # noqa: ANN401
        """Send one request, unless it is the one that goes wrong."""
        with self._lock:
            number = len(self.calls)
            self.calls.append(operation_of(request))
        fault = self._fault
        if fault is None or number < fault.call:
            return send(request)
        if fault.kind is FaultKind.PARTIAL_ANSWER:
            return _partial(request, send)
        return self._faulty(fault.kind, request, send) if number == fault.call else send(request)

    def _faulty(
        self,
        kind: FaultKind,
        request: Any,  # noqa: ANN401
        send: Callable[[Any], AWSResponse],
    ) -> AWSResponse:
        match kind:
            case FaultKind.CRASH_BEFORE:
                raise Crash(kind)
            case FaultKind.CRASH_AFTER:
                send(request)
                raise Crash(kind)
            case FaultKind.TIMEOUT_AFTER:
                send(request)
                raise ReadTimeoutError(endpoint_url=request.url)
            case FaultKind.THROTTLED:
                return _throttled(request)
            case FaultKind.PAUSE_BEFORE:
                self._pause()
                return send(request)
            case FaultKind.PAUSE_AFTER:
                response = send(request)
                self._pause()
                return response
            case FaultKind.PARTIAL_ANSWER:
                return _partial(request, send)

    def _pause(self) -> None:
        self.paused.set()
        self._resume.wait()


class _Session:
    """Stands where botocore's HTTP session stands."""

    def __init__(self, inner: Any, wire: Wire) -> None:  # noqa: ANN401
        self._inner = inner
        self._wire = wire

    def send(self, request: Any) -> AWSResponse:  # noqa: ANN401
        return self._wire.pass_through(request, self._inner.send)

    def close(self) -> None:
        self._inner.close()


def operation_of(request: Any) -> str:  # noqa: ANN401
    """Return the operation that a request asks for: `TransactWriteItems`, `S3 PUT`."""
    target = request.headers.get("X-Amz-Target")
    if target is None:
        return f"S3 {request.method}"
    return (target.decode() if isinstance(target, bytes) else str(target)).split(".")[-1]


def _throttled(request: Any) -> AWSResponse:  # noqa: ANN401
    if request.headers.get("X-Amz-Target") is None:
        body = b"<Error><Code>SlowDown</Code><Message>injected</Message></Error>"
        return answer(request, 503, body)
    return answer(request, 400, _THROTTLED)


def answer(request: Any, status: int, body: bytes) -> AWSResponse:  # noqa: ANN401
    """Return an answer as AWS would have given it."""
    # The stubs want the headers of an HTTP message; botocore itself passes a HeadersDict.
    headers: Any = HeadersDict({"content-type": "application/x-amz-json-1.0"})
    return AWSResponse(request.url, status, headers, _Raw(body))


def _partial(request: Any, send: Callable[[Any], AWSResponse]) -> AWSResponse:  # noqa: ANN401
    """Do the first half of a batch call and throttle the rest; leave every other call alone."""
    operation = operation_of(request)
    if operation not in BATCHES:
        return send(request)
    asked = orjson.loads(request.body)
    if operation == "BatchExecuteStatement":
        statements = asked["Statements"]
        half = len(statements) // 2
        done = _sent({"Statements": statements[:half]}, request, send)["Responses"] if half else []
        throttled = {"Error": {"Code": "ThrottlingError", "Message": "injected"}}
        shortened: dict[str, Any] = {"Responses": done + [throttled] * (len(statements) - half)}
    else:
        ((table, wanted),) = asked["RequestItems"].items()
        half = len(wanted["Keys"]) // 2
        first = {table: wanted | {"Keys": wanted["Keys"][:half]}}
        shortened = (
            _sent({"RequestItems": first}, request, send) if half else {"Responses": {table: []}}
        )
        shortened["UnprocessedKeys"] = {table: wanted | {"Keys": wanted["Keys"][half:]}}
    return answer(request, 200, orjson.dumps(shortened))


def _sent(
    body: dict[str, Any],
    request: Any,  # noqa: ANN401
    send: Callable[[Any], AWSResponse],
) -> dict[str, Any]:
    request.body = orjson.dumps(body)
    request.headers["Content-Length"] = str(len(request.body))
    answered: dict[str, Any] = orjson.loads(send(request).content)
    return answered


class _Raw(io.BytesIO):
    """A response body as urllib3 gives it."""

    def stream(self, **_: object) -> Any:  # noqa: ANN401
        yield self.read()
