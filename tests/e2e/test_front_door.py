"""Events over HTTP: the deployed API, its function under its own role, and the stages behind it."""

import gzip
from http import HTTPStatus

import orjson
import pytest
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

from millrace_cli.api import Answer, SignedApi
from millrace_local.environment import CREDENTIALS

pytestmark = [pytest.mark.engine, pytest.mark.e2e]


@pytest.fixture(scope="module")
def api(pipeline) -> SignedApi:
    """The API as a client with root's rights sees it."""
    return SignedApi(
        pipeline.outputs["api_endpoint"],
        pipeline.outputs["region"],
        lambda: Credentials(CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]),
    )


def events(count: int, source: str) -> list[dict[str, object]]:
    return [
        {
            "event_type": "e2e_api",
            "entity_id": f"api user {n} ü",
            "event_time": "2025-12-28T09:30:00Z",
            "source": source,
            "payload": {"n": n},
        }
        for n in range(count)
    ]


def posted(api: SignedApi, body: object, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return api.post("/ingest", orjson.dumps(body), {"content-type": "application/json"} | names)


def difference(pipeline, before: dict, received: int) -> dict[str, int]:
    """Wait until so many more records came to their end; return what changed."""
    after = pipeline.settled(before["received"] + received)["counts"]
    return {name: after[name] - before[name] for name in after}


def test_posted_events_go_through_every_stage(pipeline, api):
    """202 with ids; one event, an array, gzip: all accepted; the same again: all duplicates."""
    before = pipeline.status()["counts"]
    one, *several = events(41, "e2e_api")
    packed = gzip.compress(orjson.dumps(several[20:]))
    binary = {"content-type": "application/octet-stream", "content-encoding": "gzip"}
    for _ in range(2):
        answers = [
            posted(api, one),
            posted(api, several[:20]),
            api.post("/ingest", packed, binary),
        ]
        assert [answer.status for answer in answers] == [HTTPStatus.ACCEPTED] * 3
        assert [answer.json()["accepted"] for answer in answers] == [1, 20, 20]
    changed = difference(pipeline, before, 82)
    assert (changed["accepted"], changed["duplicates"], changed["quarantined"]) == (41, 41, 0)
    assert (changed["enriched"], changed["archived"]) == (41, 41)


def test_an_idempotency_key_makes_a_resend_a_duplicate(pipeline, api):
    """The id that the API answers is the one that the archive holds."""
    before = pipeline.status()["counts"]
    (event,) = events(1, "e2e_api_key")
    first, again = (posted(api, event, idempotency_key="order/1#ü".encode().hex()) for _ in "12")
    assert first.json()["events"] == again.json()["events"]
    changed = difference(pipeline, before, 2)
    assert (changed["accepted"], changed["duplicates"]) == (1, 1)
    archived = pipeline.millrace("archive", "cat", "2025-12-28T09").splitlines()
    mine = [row for row in map(orjson.loads, archived) if row["source"] == "e2e_api_key"]
    assert [row["event_id"] for row in mine] == [first.json()["events"][0]["event_id"]]


def test_an_invalid_item_keeps_all_out(pipeline, api, tmp_path):
    """422 with the item's reason, and nothing of the request was received."""
    before = pipeline.status()["counts"]
    good = events(3, "e2e_api_invalid")
    answer = posted(api, [*good, {"event_type": "e2e_api"}])
    assert answer.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert [(each["index"], each["reason"]) for each in answer.json()["errors"]] == [
        (3, "missing_field")
    ]
    assert posted(api, []).status == HTTPStatus.BAD_REQUEST
    # A record put behind it on the one shard has arrived: so would have any before it.
    file = tmp_path / "marker.ndjson"
    file.write_bytes(orjson.dumps(events(1, "e2e_api_marker")[0]))
    pipeline.put(file)
    assert difference(pipeline, before, 1)["received"] == 1


def test_the_command_puts_via_the_api(pipeline, tmp_path):
    """`put --via api` sends what `put` sends: the file by both ways is all duplicates."""
    file = tmp_path / "events.ndjson"
    file.write_bytes(b"\n".join(map(orjson.dumps, events(1200, "e2e_api_cli"))))
    before = pipeline.put(file, "--via", "api")
    changed = difference(pipeline, before, 1200)
    assert (changed["accepted"], changed["duplicates"]) == (1200, 0)
    before = pipeline.put(file)
    changed = difference(pipeline, before, 1200)
    assert (changed["accepted"], changed["duplicates"]) == (0, 1200)


def test_an_unsigned_request_is_refused(pipeline):
    """The route asks for IAM credentials."""
    url = f"{pipeline.outputs['api_endpoint']}/ingest"
    request = AWSRequest("POST", url, {}, orjson.dumps(events(1, "e2e_api")))
    response = URLLib3Session(proxies={}).send(request.prepare())
    assert response.status_code == HTTPStatus.FORBIDDEN
