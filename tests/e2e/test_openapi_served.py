"""The deployed APIs against their own OpenAPI documents: schemathesis makes up the requests.

https://schemathesis.readthedocs.io/ : no answer is a server's error, and each has a status, a
content type and a body that the document names.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import booleans
from pipeline import SETTLE_DEADLINE_S, Pipeline
from requests import PreparedRequest
from requests.auth import AuthBase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from millrace.replay.record import ReplayState
from millrace_local.environment import CREDENTIALS
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DOCUMENTS = Path(__file__).parents[2] / "docs/openapi"
SOURCE = "openapi"
EXAMPLES = 12
"""Requests of each operation."""
CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
)
KEYS = Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"])


class Signed(AuthBase):
    """Signature Version 4, as routes with IAM authorization demand."""

    def __init__(self, region: str) -> None:
        self._signer = SigV4Auth(KEYS, "execute-api", region)

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        """Return the request with its signature."""
        signed = AWSRequest(request.method, request.url, data=request.body)
        self._signer.add_auth(signed)
        request.headers.update(dict(signed.headers))
        return request


@pytest.fixture(scope="module")
def known(pipeline, tmp_path_factory) -> Iterator[dict[str, str]]:
    """Ids that there are, by the beginning of their paths: an event's, its entity's, a replay's.

    Leaves the pipeline at rest: events are made up, and replays are started.
    """
    entity = f"openapi-{uuid4().hex[:8]}"
    event = {
        "event_type": "view", "entity_id": entity, "event_id": entity, "source": SOURCE,
        "event_time": "2014-05-06T07:08:09Z",
    }  # fmt: skip
    file = tmp_path_factory.mktemp("openapi") / "event.ndjson"
    file.write_text(json.dumps(event))
    pipeline.settled(pipeline.put(file)["received"] + 1)
    day = ("--from", "2014-05-06T00:00:00Z", "--to", "2014-05-07T00:00:00Z")
    plan = pipeline.millrace("replay", "plan", "--entity", entity, *day, "--quiet").strip()
    replay = pipeline.millrace("replay", "apply", plan, "--reason", "to be asked about", "--quiet")
    yield {"events": entity, "entities": entity, "replay": replay.strip(), "dlq": "aggregate"}
    wait_until(lambda: all_ended(pipeline), SETTLE_DEADLINE_S, 1)
    pipeline.settled(pipeline.status()["counts"]["received"])


def all_ended(pipeline: Pipeline) -> bool:
    listed = json.loads(pipeline.millrace("replay", "list", "--json"))
    return all(ReplayState(replay["state"]).ended for replay in listed)


@pytest.mark.parametrize(
    ("document", "statuses"),
    [
        ("ingest", {202, 400, 422}),
        ("investigate", {200, 400, 404}),
        ("operator", {200, 404, 422}),
        ("replay", {200, 202, 404, 409, 422}),
    ],
)
def test_what_is_served_is_what_is_documented(pipeline, known, figures, document, statuses):
    """Whatever is asked, in the document's terms: no 5xx, no answer that it does not name."""
    base_url, auth = pipeline.outputs["api_endpoint"], Signed(pipeline.outputs["region"])
    answers: Counter[int] = Counter()

    def conforms(case: Any, there_is_one: bool) -> None:
        if there_is_one and case.path_parameters:
            name = case.path.split("/")[1]
            case.path_parameters = dict.fromkeys(case.path_parameters, known[name])
            if name == "events":
                case.query["source"] = SOURCE
        answer = case.call(base_url=base_url, auth=auth, timeout=60)
        answers[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    for operation in schemathesis.openapi.from_path(
        DOCUMENTS / f"{document}.json"
    ).get_all_operations():
        made_up = settings(
            max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        made_up(given(case=operation.ok().as_strategy(), there_is_one=booleans())(conforms))()
    figures(f"{answers.total()} requests answered {dict(sorted(answers.items()))}")
    assert answers.keys() >= statuses
