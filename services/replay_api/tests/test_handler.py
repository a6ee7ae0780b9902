"""API Gateway's shapes, from AWS's own samples, and what clients are answered."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from millrace.errors import ConfigError, RetryableError
from millrace.replay.operations import replay_named
from millrace.replay.progress import SkippedEvent
from millrace.replay.record import ReplayState
from millrace_testing.builders import ARRIVAL
from millrace_testing.lambda_context import lambda_context
from millrace_testing.replays import REPLAY_ID, FakeReplays, audit_entry, replay_record
from replay_api.answers import MAX_SKIPPED_LISTED
from replay_api.handler import MAX_PAGE, handle
from replay_api.requests import MAX_BODY_BYTES

CALLER = "arn:aws:iam::123456789012:user/ana"
MINE = "arn:aws:sqs:eu-central-1:123456789012:mine"
MINE_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/mine"
EVENTS = 40
BODY = {"start": "2025-12-26T00:00:00Z", "end": "2025-12-30T00:00:00Z", "reason": "to see"}
FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures"
OFFICIAL = [
    "powertools-python/apiGatewayProxyV2Event.json",
    "powertools-python/apiGatewayProxyV2Event_GET.json",
    "powertools-python/apiGatewayProxyV2IamEvent.json",
    "powertools-python/apiGatewayProxyV2LambdaAuthorizerEvent.json",
    "aws-lambda-go/apigw-v2-request-iam.json",
    "aws-lambda-go/apigw-v2-request-jwt-authorizer.json",
    "aws-lambda-go/apigw-v2-request-lambda-authorizer.json",
    "aws-lambda-go/apigw-v2-request-no-authorizer.json",
    "aws-sam-cli/HttpApi.json",
    "aws-lambda-dotnet/http-api-v2-request.json",
]
SIGNED = {
    "powertools-python/apiGatewayProxyV2IamEvent.json",
    "aws-lambda-go/apigw-v2-request-iam.json",
}
needs_fixtures = pytest.mark.skipif(
    not FIXTURES.is_dir(), reason="../shared/data is not beside this checkout"
)


def official(name: str) -> dict:
    return json.loads((FIXTURES / name).read_text(encoding="utf-8-sig"))


@needs_fixtures
@pytest.mark.parametrize("name", OFFICIAL)
def test_official_samples_are_read(name, desk):
    """AWS's sample requests (their routes are none of ours) are refused in good form."""
    response = handle(official(name), lambda_context(), desk)
    assert response["statusCode"] == 404
    assert response["headers"]["content-type"] == "application/problem+json"


@needs_fixtures
@pytest.mark.parametrize("name", OFFICIAL)
def test_a_replay_is_started_by_who_signed(name, desk, replays):
    """The ARN that IAM proved is in the audit; without one nothing is started."""
    ours = {"routeKey": "POST /replay", "body": json.dumps(BODY), "isBase64Encoded": False}
    response = handle(official(name) | ours, lambda_context(29_000), desk)
    assert response["statusCode"] == (202 if name in SIGNED else 403)
    arns = [each.started_by for each in replays.records.values()]
    assert arns == ([official(name)["requestContext"]["authorizer"]["iam"]["userArn"]]
                    if name in SIGNED else [])  # fmt: skip


def test_post_plans_and_starts(send, replays, work):
    """202 with the replay, its plan hash and its place; the plan is stored, the worker woken."""
    response, body = send("POST /replay", BODY | {"rate": 7, "dry_run": True})
    (replay,) = replays.records.values()
    plan = replays.plans[replay.plan_id]
    assert response["statusCode"] == 202
    assert response["headers"]["location"] == f"/replay/{replay.replay_id}"
    assert body["replay"]["plan_hash"] == plan.plan_hash == replay.plan_hash
    assert (replay.rate, replay.dry_run, replay.started_by) == (7, True, CALLER)
    assert (body["plan"]["events"], replay.messages, plan.events) == (EVENTS, EVENTS, EVENTS)
    assert [replay_named(each) for each in work.sent] == [replay.replay_id]


def test_selectors_select(send):
    """One entity's events in half of the window."""
    _, body = send("POST /replay", BODY | {"entity_id": "user_3", "source": "web"})
    assert 0 < body["plan"]["events"] < EVENTS


def test_a_body_in_base64_is_read(desk, api_event):
    """As the gateway sends what has no content type of text."""
    encoded = b64encode(json.dumps(BODY).encode()).decode()
    event = api_event("POST /replay", encoded) | {"isBase64Encoded": True}
    assert handle(event, lambda_context(29_000), desk)["statusCode"] == 202
    event["body"] = "%"
    assert handle(event, lambda_context(29_000), desk)["statusCode"] == 400


def test_an_allowed_queue_is_the_target(send, replays):
    """Its URL is where the worker sends; no other queue is taken."""
    send("POST /replay", BODY | {"queue_arn": MINE})
    assert [each.queue_url for each in replays.records.values()] == [MINE_URL]
    response, problem = send("POST /replay", BODY | {"queue_arn": f"{MINE}2"})
    assert response["statusCode"] == 422
    assert problem["errors"][0]["field"] == "queue_arn"
    assert "target_queue_arns" in problem["errors"][0]["detail"]
    assert len(replays.records) == 1


@pytest.mark.parametrize(
    ("change", "field", "remedy"),
    [
        ({"start": "2025-12-26T00:00:00"}, "start", "offset"),
        ({"end": "yesterday"}, "end", "offset"),
        ({"end": BODY["start"]}, "end", "not after"),
        ({"entity_id": ""}, "entity_id", "leave it out"),
        ({"limit": 0}, "limit", "greater than"),
        ({"limit": "10"}, "limit", "integer"),
        ({"limit": 50_001}, "limit", "millrace replay plan"),
        ({"limit": None}, "limit", "millrace replay plan"),
        ({"limit": EVENTS - 1}, "limit", "larger limit"),
        ({"rate": 10_001}, "rate", "10000"),
        ({"dry_run": "yes"}, "dry_run", "boolean"),
        ({"reason": " "}, "reason", "say why"),
        ({"entity": "user_1"}, "entity", "entity_id"),
    ],
)
def test_a_fault_names_its_field_and_the_remedy(send, replays, change, field, remedy):
    """422, and nothing is planned or started."""
    response, problem = send("POST /replay", BODY | change)
    assert response["statusCode"] == problem["status"] == 422
    assert [each["field"] for each in problem["errors"]] == [field]
    assert remedy in problem["errors"][0]["detail"]
    assert not replays.plans
    assert not replays.records


def test_what_is_missing_is_named(send):
    """All of it at once."""
    _, problem = send("POST /replay", {})
    assert [each["field"] for each in problem["errors"]] == ["start", "end", "reason"]


@pytest.mark.parametrize("body", ["", "{", "[]", "null"])
def test_what_is_no_object_is_unreadable(send, body):
    """400, on each route that takes a body."""
    assert send("POST /replay", body)[0]["statusCode"] == 400
    assert send("POST /replay/{id}/pause", body, replay_id="r")[0]["statusCode"] == 400


def test_a_huge_body_is_refused(send):
    """413, before it is parsed."""
    assert send("POST /replay", "x" * (MAX_BODY_BYTES + 1))[0]["statusCode"] == 413


def test_planning_ends_in_time(send, replays):
    """Without time left it is given up, and the answer names the way without a bound."""
    response, problem = send("POST /replay", BODY, remaining_ms=8_000)
    assert response["statusCode"] == 422
    assert problem["type"].endswith("planning-too-long")
    assert "millrace replay plan" in problem["detail"]
    assert not replays.records


def test_status_says_where_it_stands(send, replays):
    """State, progress, what was skipped and why, and the audit."""
    replays.start(replay_record(), audit_entry())
    replays.skip(REPLAY_ID, SkippedEvent("p", "e", "missing", "no such object"))
    response, body = send("GET /replay/{id}", "", replay_id=REPLAY_ID)
    assert response["statusCode"] == 200
    assert (body["replay_id"], body["state"], body["skipped"]) == (REPLAY_ID, "running", 1)
    assert body["skipped_events"] == [
        {"event_id": "e", "place": "p", "reason": "missing", "detail": "no such object"}
    ]
    assert [(each["who"], each["action"]) for each in body["audit"]] == [("ana", "apply")]


def test_status_lists_no_more_than_an_answer_holds(send, replays):
    """All are counted, the first are listed."""
    replays.start(replay_record(), audit_entry())
    many = MAX_SKIPPED_LISTED + 1
    for number in range(many):
        replays.skip(REPLAY_ID, SkippedEvent(str(number), "e", "missing", "x" * 500))
    response, body = send("GET /replay/{id}", "", replay_id=REPLAY_ID)
    assert (body["skipped"], len(body["skipped_events"])) == (many, MAX_SKIPPED_LISTED)
    assert len(response["body"]) < 6_000_000


@pytest.mark.parametrize(
    "route",
    ["GET /replay/{id}", *(f"POST /replay/{{id}}/{m}" for m in ("pause", "resume", "cancel"))],
)
def test_an_unknown_replay_is_not_found(send, route):
    """404, naming the path's field."""
    response, problem = send(route, {"reason": "r"}, replay_id="none")
    assert response["statusCode"] == 404
    assert problem["errors"][0]["field"] == "id"


def test_a_replay_is_moved(send, replays):
    """Paused, resumed, cancelled, by whom and why; what its state does not allow is 409."""
    replays.start(replay_record(), audit_entry())
    states = []
    for move in ("pause", "resume", "cancel"):
        response, body = send(f"POST /replay/{{id}}/{move}", {"reason": move}, replay_id=REPLAY_ID)
        states.append((response["statusCode"], body["state"]))
    assert states == [(200, "paused"), (200, "running"), (200, "cancelled")]
    assert replays.replay(REPLAY_ID).state is ReplayState.CANCELLED
    moved = {(each.who, each.action, each.reason) for each in replays.audit(REPLAY_ID)}
    assert {(CALLER, move, move) for move in ("pause", "resume", "cancel")} <= moved
    response, problem = send("POST /replay/{id}/pause", {"reason": "r"}, replay_id=REPLAY_ID)
    assert response["statusCode"] == 409
    assert "cancelled" in problem["detail"]


def test_a_move_needs_a_reason(send, replays):
    """422, and nothing is moved."""
    replays.start(replay_record(), audit_entry())
    response, problem = send("POST /replay/{id}/cancel", {}, replay_id=REPLAY_ID)
    assert (response["statusCode"], problem["errors"][0]["field"]) == (422, "reason")
    assert replays.replay(REPLAY_ID).state is ReplayState.RUNNING


def test_the_list_goes_on_where_a_page_ended(send, replays):
    """Newest first, each once, also when new ones start meanwhile; the last page has no cursor."""
    for number in range(5):
        at = ARRIVAL + timedelta(seconds=number // 2)  # two may start in one second
        replays.start(replay_record(f"r{number}", started_at=at), audit_entry())
    seen, query = [], {"limit": "2"}
    while True:
        response, page = send("GET /replays", "", query=query)
        assert response["statusCode"] == 200
        seen.append([each["replay_id"] for each in page["replays"]])
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
        late = replay_record(f"late{len(seen)}", started_at=ARRIVAL + timedelta(days=len(seen)))
        replays.start(late, audit_entry())
    assert seen == [["r4", "r3"], ["r2", "r1"], ["r0"]]


def test_an_empty_list_is_a_page(send):
    """Nothing, and no cursor."""
    assert send("GET /replays", "")[1] == {"replays": [], "next_cursor": None}


@pytest.mark.parametrize("limit", ["0", "x", "-1", "²", str(MAX_PAGE + 1), "9" * 9])
def test_a_page_is_bounded(send, limit):
    """400, naming the query's field."""
    response, problem = send("GET /replays", "", query={"limit": limit})
    assert (response["statusCode"], problem["errors"][0]["field"]) == (400, "limit")


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [(RetryableError("throttled"), 503, {"retry-after"}), (ConfigError("no right"), 500, set())],
)
def test_what_is_ours_says_nothing_of_us(desk, api_event, error, status, headers):
    """503 may be sent again, 500 may not help; neither quotes the error."""

    class Failing(FakeReplays):
        def replay(self, replay_id):
            raise error

    failing = replace(desk, operations=replace(desk.operations, ledger=Failing()))
    event = api_event("GET /replay/{id}", "", "r")
    response = handle(event, lambda_context(29_000), failing)
    assert response["statusCode"] == status
    assert headers <= response["headers"].keys()
    assert str(error) not in response["body"]
    assert json.loads(response["body"])["instance"].startswith("/replay#")
