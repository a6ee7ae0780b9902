"""Investigating over HTTP: the deployed API, its function under its own role, and the command."""

import re
from datetime import UTC, datetime
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import orjson
import pytest
from botocore.credentials import Credentials

from investigate.domain.paths import spelled
from millrace_cli.api import SignedApi
from millrace_local.environment import CREDENTIALS
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

SOURCE = "investigate-api"
ODD = "#en.wikipedia/AC/DC 100%25"
EVENTS = 24
ALIKE_DEADLINE_S = 60
TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")
DAY = ("2014-06-01", "2014-06-02")


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
    """An event an hour of one day, the first of them twice, in the pipeline."""
    file = tmp_path_factory.mktemp("investigate_api") / "events.ndjson"
    events = [
        {
            "event_id": f"{ODD}#{n}",
            "event_type": "e2e_investigate_api",
            "entity_id": ODD,
            "event_time": f"2014-06-01T{n:02d}:00:00Z",
            "source": SOURCE,
            "payload": {"n": n},
        }
        for n in range(EVENTS)
    ]
    file.write_bytes(b"\n".join(map(orjson.dumps, [*events, events[0]])))
    begin = datetime.now(UTC)
    before = pipeline.put(file)
    pipeline.settled(before["received"] + EVENTS + 1)
    arrived = (begin.isoformat(), datetime.now(UTC).isoformat())
    return SimpleNamespace(pipeline=pipeline, arrived=arrived)


def ask(api: SignedApi, path: str, **query: object) -> dict[str, Any]:
    """Return the answer, without what it took to read."""
    names = {name.removesuffix("_"): value for name, value in query.items()}
    answer = api.get(f"{path}?{urlencode(names)}" if names else path)
    assert answer.status == HTTPStatus.OK, answer.body
    told = dict(answer.json())
    assert told.pop("read")
    return told


def command(stored, *arguments: str) -> dict[str, Any]:
    """Return what the command answers, without what it took to read."""
    told = orjson.loads(stored.pipeline.millrace(*arguments, "--json"))
    del told["read"]
    return told


def test_reports_are_the_commands(stored, api):
    """Equal questions, equal answers: of what arrived, and of one entity."""
    first, last = stored.arrived
    times = {"from_": first, "to": last}
    for verb in ("lag", "duplicates", "late"):
        told = ask(api, f"/{verb}", **times, source=SOURCE)
        assert told == command(stored, verb, "--from", first, "--to", last, "--source", SOURCE), (
            verb
        )
    assert told["coverage"]["complete"]
    sources = ask(api, "/sources", **times)
    assert sources == command(stored, "sources", "--from", first, "--to", last)
    gaps = ask(api, f"/entities/{quote(ODD, safe='')}/gaps", from_=DAY[0], to=DAY[1])
    assert gaps == command(stored, "gaps", "--entity", ODD, "--from", DAY[0], "--to", DAY[1])
    assert gaps["events"] == EVENTS


def test_odd_ids_come_through_the_path(stored, api):
    """Percent-encoded and spelled; the biography is the command's and names the copy."""
    event_id = f"{ODD}#0"
    told = command(stored, "event", event_id, "--source", SOURCE)
    assert len(told["copies"]) == 1
    assert told["first"]["correlation_id"]
    for part in (quote(event_id, safe=""), spelled(event_id)):
        assert ask(api, f"/events/{part}", source=SOURCE) == told


def test_an_entitys_events_are_the_commands_page_by_page(stored, api):
    """With payloads and copies."""
    listed = stored.pipeline.millrace(
        "events", "--entity", ODD, "--from", DAY[0], "--to", DAY[1], "--payload",
        "--include-duplicates", "--json",
    )  # fmt: skip
    found: list[Any] = []
    cursor: dict[str, Any] = {}
    while True:
        page = ask(
            api, f"/entities/{quote(ODD, safe='')}/events", from_=DAY[0], to=DAY[1],
            payload="true", duplicates="true", limit=10, **cursor,
        )  # fmt: skip
        found += page["events"]
        if page["coverage"]["cursor"] is None:
            break
        cursor = {"cursor": page["coverage"]["cursor"]}
    assert found == orjson.loads(listed)
    assert len(found) == EVENTS + 1


def test_aggregates_are_the_commands(stored, api):
    """Rows of one scope."""
    rows = ask(api, "/aggregates", scope=f"SOURCE#{SOURCE}", window="day")["rows"]
    told = stored.pipeline.millrace(
        "aggregates", "--scope", f"SOURCE#{SOURCE}", "--window", "day", "--json"
    )
    assert rows == orjson.loads(told)
    assert {row["event_count"] for row in rows} == {EVENTS}


def test_status_is_the_commands(stored, api):
    """Both find that export may not run, with the command that lets it; and all else alike.

    They look one after the other, at a pipeline that is seldom quite still.
    """
    pipeline = stored.pipeline
    client, engine = pipeline.deployed.client("lambda"), pipeline.deployed.engine.name
    name = pipeline.outputs["functions"]["export"]

    def told_alike() -> dict[str, Any] | None:
        told, shown = ask(api, "/status"), pipeline.cockpit()
        checks = [[each["check"] for each in status["checks"]] for status in (told, shown)]
        findings = [comparable(status["findings"], engine) for status in (told, shown)]
        return told if checks[0] == checks[1] and findings[0] == findings[1] else None

    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        told = wait_until(told_alike, ALIKE_DEADLINE_S, 1)
    finally:
        client.delete_function_concurrency(FunctionName=name)
    assert told["complete"]
    assert any(each["last_commit_at"] for each in told["shards"])
    assert "export may not run" in {each["what"] for each in told["findings"]}


def comparable(findings: list[dict[str, Any]], engine: str) -> list[tuple[str, ...]]:
    """Return what does not change while one looks: texts tell ages, and how much was looked at."""
    names = ("check", "severity", "service", "look", "fix")
    return sorted(tuple(here(each[name] or "", engine) for name in names) for each in findings)


def here(words: str, engine: str) -> str:
    """Return a command without what the API cannot know: that it is an engine, which, and when."""
    if words.startswith((".venv/bin/python -m millrace_local repair", "make deploy")):
        return "deploy anew"
    words = TIME.sub("TIME", words)
    return words.replace(f" --engine {engine}", "").replace(" --reason 'found by status'", "")


def test_a_bad_question_names_its_field(stored, api):
    """And what is not there is not found."""
    for path, status, name in (
        ("/lag?from=yesterday", HTTPStatus.BAD_REQUEST, "from"),
        ("/events/nobody", HTTPStatus.NOT_FOUND, "id"),
        ("/entities/nobody", HTTPStatus.NOT_FOUND, "path"),
        ("/late?cursor=x", HTTPStatus.BAD_REQUEST, "cursor"),
    ):
        answer = api.get(path)
        assert (answer.status, answer.json()["errors"][0]["field"]) == (status, name)
