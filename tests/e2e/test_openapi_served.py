"""The deployed APIs against their own OpenAPI documents: schemathesis makes up the requests.

https://schemathesis.readthedocs.io/ : no answer is a server's error, and each has a status, a
content type and a body that the document names.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import HealthCheck, Phase, given, settings
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

DOCUMENTS = sorted((Path(__file__).parents[2] / "docs/openapi").glob("*.json"))
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


@pytest.fixture(scope="module", autouse=True)
def at_rest(pipeline) -> Iterator[None]:
    """Leave the pipeline at rest: events may have been made up, and replays started."""
    yield
    wait_until(lambda: all_ended(pipeline), SETTLE_DEADLINE_S, 1)
    pipeline.settled(pipeline.status()["counts"]["received"])


def all_ended(pipeline: Pipeline) -> bool:
    listed = json.loads(pipeline.millrace("replay", "list", "--json"))
    return all(ReplayState(replay["state"]).ended for replay in listed)


def operations(document: Path) -> Iterator[Any]:
    for found in schemathesis.openapi.from_path(document).get_all_operations():
        yield found.ok()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda each: each.stem)
def test_what_is_served_is_what_is_documented(pipeline, figures, document):
    """Whatever is asked, in the document's terms: no 5xx, no answer that it does not name."""
    base_url, auth = pipeline.outputs["api_endpoint"], Signed(pipeline.outputs["region"])
    statuses: Counter[int] = Counter()

    def conforms(case: Any) -> None:
        answer = case.call(base_url=base_url, auth=auth, timeout=60)
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    for operation in operations(document):
        made_up = settings(
            max_examples=EXAMPLES, derandomize=True, database=None, deadline=None,
            phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        made_up(given(case=operation.as_strategy())(conforms))()
    figures(f"{statuses.total()} requests answered {dict(sorted(statuses.items()))}")
    assert any(status < 300 for status in statuses), "nothing that was made up is valid"
