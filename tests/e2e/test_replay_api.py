"""Replays over HTTP: the deployed API, its function under its own role, and its worker."""

from http import HTTPStatus
from typing import Any

import orjson
import pytest
from botocore.credentials import Credentials

from millrace_cli.api import Answer, SignedApi
from millrace_local.environment import CREDENTIALS
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DEADLINE_S = 120
EVENTS = 24
SOURCE = "replay-api"
BODY = {
    "source": SOURCE,
    "start": "2014-04-01T00:00:00Z",
    "end": "2014-04-02T00:00:00Z",
    "reason": "to see that it works",
}


@pytest.fixture(scope="module")
def api(pipeline) -> SignedApi:
    """The API as a client with root's rights sees it."""
    return SignedApi(
        pipeline.outputs["api_endpoint"],
        pipeline.outputs["region"],
        lambda: Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]),
    )


@pytest.fixture(scope="module")
def stored(pipeline, tmp_path_factory):
    """An event an hour of one day, in the pipeline."""
    file = tmp_path_factory.mktemp("replay_api") / "events.ndjson"
    events = [
        {
            "event_type": "e2e_replay_api",
            "entity_id": f"replayed {n % 3}",
            "event_time": f"2014-04-01T{n:02d}:00:00Z",
            "source": SOURCE,
        }
        for n in range(EVENTS)
    ]
    file.write_bytes(b"\n".join(map(orjson.dumps, events)))
    before = pipeline.put(file)
    pipeline.settled(before["received"] + EVENTS)
    return pipeline


def post(api: SignedApi, path: str, body: object) -> Answer:
    return api.post(path, orjson.dumps(body), {"content-type": "application/json"})


def completed(api: SignedApi, path: str) -> dict[str, Any]:
    """Wait until every event of a replay is counted; return its status."""

    def status() -> dict[str, Any] | None:
        answer = api.get(path)
        assert answer.status == HTTPStatus.OK
        return answer.json() if answer.json()["state"] == "completed" else None

    return wait_until(status, DEADLINE_S, 0.5)


def test_a_posted_replay_runs_to_its_end(stored, api):
    """202 and where to look; then completed, all counted, who and why in the audit, and listed."""
    answer = post(api, "/replay", BODY)
    assert answer.status == HTTPStatus.ACCEPTED
    started = answer.json()
    replay_id = started["replay"]["replay_id"]
    assert started["plan"]["events"] == EVENTS
    status = completed(api, f"/replay/{replay_id}")
    assert (status["sent"], status["counted"], status["skipped"]) == (EVENTS, EVENTS, 0)
    assert status["plan_hash"] == started["replay"]["plan_hash"]
    applied = status["audit"][0]
    assert (applied["action"], applied["reason"]) == ("apply", BODY["reason"])
    assert applied["who"].startswith("arn:aws:iam::")
    listed = api.get("/replays").json()["replays"]
    assert replay_id in {each["replay_id"] for each in listed}
    refused = post(api, f"/replay/{replay_id}/pause", {"reason": "too late"})
    assert refused.status == HTTPStatus.CONFLICT


def test_a_bad_request_names_its_field(stored, api):
    """Unreadable, not to be meant, unknown: each in its own way, and nothing is started."""
    assert post(api, "/replay", []).status == HTTPStatus.BAD_REQUEST
    answer = post(api, "/replay", BODY | {"start": "2014-04-01T00:00:00"})
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [each["field"] for each in answer.json()["errors"]] == ["start"]
    unknown = api.get("/replay/none")
    assert unknown.status == HTTPStatus.NOT_FOUND
    assert unknown.json()["errors"][0]["field"] == "id"
