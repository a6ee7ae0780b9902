import gzip
import json
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import chain
from pathlib import Path
from threading import Thread

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import (
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from tenacity import wait_none

from millrace_cli.api import MAX_BODY_BYTES, Answer, ApiStream, SignedApi
from millrace_cli.errors import CommandError
from millrace_cli.put import Source, put
from millrace_cli.records import OutRecord
from millrace_cli.sending import Progress, send

THROTTLED = "ProvisionedThroughputExceededException"
ACCEPTED = Answer(202, b"{}")


class FakeApi:
    """Answers by a list, the last one for ever; an exception is raised."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = list(answers) or [ACCEPTED]
        self.requests: list[list[bytes]] = []
        self.headers: list[Mapping[str, str]] = []

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        assert path == "/ingest"
        array = gzip.decompress(body)
        self.requests.append([json.dumps(each).encode() for each in json.loads(array)])
        self.headers.append(headers)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def records(count: int) -> list[OutRecord]:
    return [OutRecord(b'{"n": %d}' % n, f"u{n}", "edit") for n in range(count)]


def partly(events: int, failed: Sequence[int]) -> Answer:
    """Return the 503 of a request whose events at those indexes are not queued."""
    statuses = ["failed" if index in failed else "queued" for index in range(events)]
    body = {
        "type": "urn:millrace:problem:not-all-queued",
        "events": [{"index": n, "event_id": "e", "status": s} for n, s in enumerate(statuses)],
        "errors": [{"index": n, "reason": THROTTLED, "detail": "d"} for n in failed],
    }
    return Answer(503, json.dumps(body).encode())


def refusal(status: int, **problem: object) -> Answer:
    return Answer(status, json.dumps(problem).encode())


def test_events_go_in_arrays_of_500(tmp_path: Path) -> None:
    """The bytes are those of the stream; the gateway is told that they are bytes."""
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(record.data for record in records(1100)))
    api, progress = FakeApi(), Progress()
    summary = put(Source(str(file)), ApiStream(api), progress)
    assert [len(request) for request in api.requests] == [500, 500, 100]
    assert list(chain.from_iterable(api.requests)) == [record.data for record in records(1100)]
    assert api.headers[0]["content-encoding"] == "gzip"
    assert "json" not in api.headers[0]["content-type"]
    assert (summary.sent, summary.batches, summary.retried) == (1100, 3, 0)


def test_only_failed_events_are_sent_again() -> None:
    """After a 503 exactly the failed ones are posted, before any later event."""
    api, progress = FakeApi(partly(500, [3, 7]), partly(2, [1]), ACCEPTED), Progress()
    send(records(600), ApiStream(api), progress, backoff=wait_none())
    assert [len(request) for request in api.requests] == [500, 2, 1, 100]
    assert api.requests[1] == [b'{"n": 3}', b'{"n": 7}']
    assert api.requests[2] == [b'{"n": 7}']
    assert (progress.sent, progress.retried) == (600, 3)


@pytest.mark.parametrize(
    "passing",
    [
        Answer(429, b'{"message":"Too Many Requests"}'),
        Answer(503, b'{"message":"Service Unavailable"}'),
        Answer(504, b"<html>"),
        Answer(500, b'{"message":"Internal Server Error"}'),
        ReadTimeoutError(endpoint_url="api"),
    ],
)
def test_what_passes_is_sent_again(passing: Answer | Exception) -> None:
    """Throttles, faults and lost answers: all of the request again, doubles are duplicates."""
    api, progress = FakeApi(passing, ACCEPTED), Progress()
    send(records(3), ApiStream(api), progress, backoff=wait_none())
    assert [len(request) for request in api.requests] == [3, 3]
    assert (progress.sent, progress.retried) == (3, 3)


def test_an_invalid_event_is_named_by_its_place() -> None:
    """The API takes none of its request; what came before is on the stream."""
    errors = [
        {"index": 4, "reason": "missing_field", "detail": "entity_id: Field required"},
        {"index": 9, "reason": "missing_field", "detail": "entity_id: Field required"},
    ]
    api, progress = FakeApi(ACCEPTED, refusal(422, errors=errors)), Progress()
    with pytest.raises(CommandError, match=r"event 505 of those sent and 1 more: missing_field"):
        send(records(600), ApiStream(api), progress)
    assert progress.sent == 500


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refusal(403, message="Forbidden"), "Forbidden; .*execute-api:Invoke"),
        (refusal(404, message="Not Found"), "make run"),
        (refusal(500, type="urn:millrace:problem:misconfigured", detail="faulty"), "faulty"),
        (refusal(413, message="Request Too Long"), "Request Too Long"),
        (NoCredentialsError(), "AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:1"), "start the local engine"),
    ],
)
def test_what_no_retry_mends_says_what_to_do(answer: Answer | Exception, problem: str) -> None:
    """Each is one line with its remedy, after one request."""
    api = FakeApi(answer)
    with pytest.raises(CommandError, match=problem):
        ApiStream(api).put(records(1))
    assert len(api.requests) == 1


def test_a_request_fits_the_function_behind_the_gateway() -> None:
    """Large events go in several requests, whose answers are put together."""
    large = OutRecord(json.dumps({"x": "y" * 900_000}).encode(), "k")
    api = FakeApi(partly(4, [2]), partly(1, []))
    assert ApiStream(api).put([large] * 5) == [None, None, THROTTLED, None, None]
    assert [len(request) for request in api.requests] == [4, 1]
    assert 4 * len(large.data) < MAX_BODY_BYTES


def test_requests_are_signed() -> None:
    """Signature Version 4 for execute-api, with the session token if there is one."""
    seen: dict[str, str] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.update({name.lower(): value for name, value in self.headers.items()})
            seen["body"] = self.rfile.read(int(self.headers["content-length"])).decode()
            self.send_response(202)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.handle_request, daemon=True).start()
        api = SignedApi(
            f"http://127.0.0.1:{server.server_port}/stage/",
            "eu-central-1",
            lambda: Credentials("AKID", "secret", "token"),
        )
        assert api.post("/ingest", b"[]", {"content-type": "application/json"}) == ACCEPTED
    assert "/eu-central-1/execute-api/aws4_request" in seen["authorization"]
    assert "content-type" in seen["authorization"]
    assert (seen["x-amz-security-token"], seen["body"]) == ("token", "[]")


def test_without_credentials_nothing_is_sent() -> None:
    """Said as for every AWS call."""
    with pytest.raises(NoCredentialsError):
        SignedApi("http://127.0.0.1:1", "eu-central-1", lambda: None).post("/ingest", b"", {})
