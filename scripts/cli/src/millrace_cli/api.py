"""The HTTP API behind `millrace put --via api`: signed POST requests of up to 500 events.

Limits: 10 MB a request at the gateway, 6 MB at the function behind it, of which base64 takes a
quarter. https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

import gzip
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import (
    BotoCoreError,
    EndpointConnectionError,
    HTTPClientError,
    NoCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from millrace_cli.aws import as_command_error
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError
from millrace_cli.records import OutRecord

MAX_BODY_BYTES = 4_000_000  # even if gzip gains nothing, base64 of it fits an invocation
_TIMEOUT_S = 35  # the gateway gives up after 30
_SERVICE = "execute-api"
_NO_ANSWER = "NoAnswer"
# gzip is marked as bytes: JSON's content type would make the gateway hand it on as text.
_HEADERS = {"content-type": "application/octet-stream", "content-encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, as far as it matters."""

    status: int
    body: bytes

    def json(self) -> Mapping[str, Any]:
        """Return the body's object; empty if it is none (a gateway or proxy wrote it)."""
        try:
            parsed = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return parsed if isinstance(parsed, dict) else {}


class Poster(Protocol):
    """Sends one request."""

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the response, whatever its status. Raises: BotoCoreError: there was none."""
        ...


class SignedApi:
    """`Poster` that signs with Signature Version 4, as routes with IAM authorization demand."""

    def __init__(
        self, endpoint: str, region: str, credentials: Callable[[], Credentials | None]
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._region = region
        self._credentials = credentials
        local = urlsplit(endpoint).hostname in ("127.0.0.1", "localhost")
        self._session = URLLib3Session(
            proxies={} if local else get_environ_proxies(endpoint), timeout=_TIMEOUT_S
        )

    def post(self, path: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Return the response, whatever its status. Raises: BotoCoreError: there was none."""
        return self._send(AWSRequest("POST", f"{self._endpoint}{path}", dict(headers), body))

    def get(self, path: str) -> Answer:
        """Return the response, whatever its status. Raises: BotoCoreError: there was none."""
        return self._send(AWSRequest("GET", f"{self._endpoint}{path}"))

    def _send(self, request: AWSRequest) -> Answer:
        credentials = self._credentials()
        if credentials is None:
            raise NoCredentialsError
        frozen = credentials.get_frozen_credentials()
        SigV4Auth(frozen, _SERVICE, self._region).add_auth(request)
        response = self._session.send(request.prepare())
        return Answer(response.status_code, response.content)


class ApiStream:
    """`millrace_cli.sending.EventStream` on POST /ingest.

    Events reach the stream with the bytes that they would have without the API, so a file put by
    one way and then by the other is all duplicates.
    """

    def __init__(self, poster: Poster) -> None:
        self._poster = poster
        self._queued = 0

    def put(self, records: Sequence[OutRecord]) -> Sequence[str | None]:
        """Put at most one batch; return for each record, in order, None or its error code.

        Raises:
            CommandError: an event is invalid (unlike the stream, the API takes none of its request
                then), or the API is missing, forbidden or cannot be reached.
        """
        codes: list[str | None] = []
        for part in _parts(records):
            answered = self._post(part)
            self._queued += answered.count(None)
            codes += answered
        return codes

    def _post(self, records: Sequence[OutRecord]) -> list[str | None]:
        array = b"[" + b",".join(record.data for record in records) + b"]"
        body = gzip.compress(array, 6, mtime=0)
        try:
            answer = self._poster.post("/ingest", body, _HEADERS)
        except (EndpointConnectionError, NoCredentialsError, ProxyConnectionError, SSLError) as err:
            raise as_command_error(err, "send events to the API") from err
        except HTTPClientError:  # sent perhaps, not answered: the same bytes again are duplicates
            return [_NO_ANSWER] * len(records)
        except BotoCoreError as err:
            raise as_command_error(err, "send events to the API") from err
        return self._codes(answer, len(records))

    def _codes(self, answer: Answer, records: int) -> list[str | None]:
        """Return each record's code: 5xx and 429 pass, all others are final."""
        if answer.status == 202:
            return [None] * records
        problem = answer.json()
        if answer.status == 503 and "events" in problem:
            reasons = {each["index"]: each["reason"] for each in problem["errors"]}
            return [reasons.get(index) for index in range(records)]
        misconfigured = str(problem.get("type", "")).endswith(":misconfigured")
        if not misconfigured and (answer.status == 429 or answer.status >= 500):
            return [f"HTTP {answer.status}"] * records
        raise self._refused(answer.status, problem)

    def _refused(self, status: int, problem: Mapping[str, Any]) -> CommandError:
        intent = f"cannot send events to the API (HTTP {status})"
        if errors := problem.get("errors"):
            first = errors[0]
            more = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            return CommandError(
                f"the API refuses event {self._queued + first['index'] + 1} of those sent{more}: "
                f"{first['reason']}: {first['detail']}",
                "correct it, or put it on the stream, where it goes to quarantine",
            )
        if status == 403:
            return CommandError(
                f"{intent}: {problem.get('message', 'forbidden')}",
                "check the credentials' right to execute-api:Invoke",
            )
        if status == 404:
            return CommandError(f"{intent}: it is not there", "deploy first: `make run`")
        return CommandError(
            f"{intent}: {problem.get('detail') or problem.get('message') or 'no reason given'}",
            "see the log of ingest_api",
        )


def api_stream(environment: Environment) -> ApiStream:
    """Return the API of an environment.

    Raises:
        CommandError: it has none.
    """
    endpoint = environment.outputs.api_endpoint
    if endpoint is None:
        raise CommandError(
            "this pipeline has no HTTP API (no output api_endpoint)",
            "apply Terraform again (`make run`), or put without --via api",
        )
    region, credentials = environment.outputs.region, environment.clients.credentials
    return ApiStream(SignedApi(endpoint, region, credentials))


def _parts(records: Sequence[OutRecord]) -> Iterator[list[OutRecord]]:
    """Yield the records in order, as many at once as a body may hold; a lone one always goes."""
    part: list[OutRecord] = []
    size = 0
    for record in records:
        more = len(record.data) + 1
        if part and size + more > MAX_BODY_BYTES:
            yield part
            part, size = [], 0
        part.append(record)
        size += more
    if part:
        yield part
