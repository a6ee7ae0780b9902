"""Investigating the deployed pipeline: each verb finds what was injected, and nothing else."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import orjson
import pytest

from millrace.event import read_event
from millrace.times import format_ms, parse_rfc3339
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

OPTIONS = (
    "--events 5000 --days 8 --start 2023-05-01 --seed 4 --duplicates 50 --late 30 --malformed 20 "
    "--silent-source mobile:3 --missing-day user_1"
)
PERIOD = ("--from", "2023-05-01", "--to", "2023-05-09")
SOURCES = ("web", "mobile", "billing")
SILENT = "asked-mobile"
DEADLINE_S = 120


def own_sources(line: bytes) -> bytes:
    """Return the line under a source that no other test sends: lateness is measured by source."""
    for source in SOURCES:
        line = line.replace(f'"source":"{source}"'.encode(), f'"source":"asked-{source}"'.encode())
    return line


def identities(lines, injected):
    """Return source and id of the events that the truth names by their lines."""
    events = (read_event(lines[each["line"] - 1]) for each in injected)
    return {(event.source, event.event_id) for event in events}


@pytest.fixture(scope="module")
def asked(pipeline, tmp_path_factory):
    """An eight-day sample with faults in the pipeline; what is true of it, and when it arrived."""
    folder = tmp_path_factory.mktemp("investigate")
    out, own = folder / "sample.ndjson.gz", folder / "own.ndjson"
    truth = json.loads(pipeline.millrace("generate", *OPTIONS.split(), "--out", str(out), "--json"))
    lines = [own_sources(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    own.write_bytes(b"\n".join(lines) + b"\n")
    begin = datetime.now(UTC)
    before = pipeline.put(own, "--format", "lines")
    pipeline.settled(before["received"] + truth["records"])
    arrived = ("--from", begin.isoformat(), "--to", datetime.now(UTC).isoformat())
    return SimpleNamespace(truth=truth, lines=lines, arrived=arrived, folder=folder)


def told(pipeline, *arguments):
    answer = json.loads(pipeline.millrace(*arguments, "--json"))
    assert answer.get("coverage", {}).get("complete", True)
    return answer


def test_duplicates_are_those_that_were_injected(pipeline, asked):
    """Fifty, each by its id; none of them changed, all of them soon after the first."""
    report = told(pipeline, "duplicates", *asked.arrived, "--list", "100")
    named = {(each["source"], each["event_id"]) for each in report["repetitions"]}
    assert named == identities(asked.lines, asked.truth["injected"]["duplicates"])
    assert (report["duplicates"], report["conflicts"], report["unreadable"]) == (50, 0, 0)
    assert report["events"] == asked.truth["accepted"] + 50
    assert report["time_between"]["events"] == 50


def test_late_events_are_those_that_were_injected(pipeline, asked):
    """Thirty, each by its id, hours behind; the windows that changed are theirs."""
    report = told(pipeline, "late", *asked.arrived, "--list", "100")
    injected = asked.truth["injected"]["late"]
    named = {(each["source"], each["event_id"]) for each in report["events"]}
    assert named == identities(asked.lines, injected)
    assert (report["late"], report["unreadable"]) == (30, 0)
    assert all(each["behind_ms"] > 3_600_000 for each in report["events"])
    hours = {
        each["window"]: each["late_events"]
        for each in report["changed_windows"]
        if each["window"].startswith("HOUR")
    }
    assert sum(hours.values()) == 30
    assert set(hours) == {f"HOUR#{each['event_time'][:13]}" for each in injected}


def test_sources_are_ranked_by_their_numbers(pipeline, asked):
    """Records, rejects with their reasons, copies and late events add up to the truth."""
    report = told(pipeline, "sources", *asked.arrived)
    rows = {row["source"]: row for row in report["sources"]}
    assert {f"asked-{source}" for source in SOURCES} <= rows.keys()
    sums = {
        name: sum(row[name] for row in rows.values())
        for name in ("records", "accepted", "duplicates", "rejected", "late", "conflicts")
    }
    truth = asked.truth
    assert sums == {
        "records": truth["records"], "accepted": truth["accepted"], "duplicates": 50,
        "rejected": 20, "late": 30, "conflicts": 0,
    }  # fmt: skip
    shares = [row["problem_share"] for row in report["sources"]]
    assert shares == sorted(shares, reverse=True)
    reasons: dict[str, int] = {}
    for row in rows.values():
        for reason, count in row["reject_reasons"].items():
            reasons[reason] = reasons.get(reason, 0) + count
    assert reasons == truth["quarantined_by_reason"]


def test_lag_counts_every_event_and_every_stage(pipeline, asked):
    """Copies too; all stages have done all of it."""
    report = told(pipeline, "lag", *asked.arrived)
    events = asked.truth["accepted"] + 50
    assert report["total"]["events"] == events
    assert report["total"]["p50_ms"] > 86_400_000  # sent years after
    assert {row["source"] for row in report["by_source"]} == {f"asked-{each}" for each in SOURCES}
    for stage in report["stages"]:
        assert (stage["events"], stage["waiting_events"]) == (events, 0), stage["step"]


@pytest.mark.parametrize("source", SOURCES)
def test_the_silent_source_is_found_and_no_other(pipeline, asked, source):
    """One silence of three hours, from the last event before to the first one after."""
    report = told(pipeline, "gaps", "--source", f"asked-{source}", *PERIOD)
    injected = {each["source"]: each for each in asked.truth["injected"]["silent_sources"]}
    silences = report["silences"]
    assert len(silences) == (source in injected)
    assert report["quiet_hours"] == []
    if source in injected:
        assert silences[0]["from"] <= injected[source]["from"]
        assert silences[0]["to"] >= injected[source]["to"]
        assert silences[0]["duration_s"] < 4 * 3600


def test_the_day_that_an_entity_missed_is_found(pipeline, asked):
    """And nothing of an entity that missed none."""
    (injected,) = asked.truth["injected"]["missing_days"]
    (silence,) = told(pipeline, "gaps", "--entity", "user_1", *PERIOD)["silences"]
    assert silence["from"] <= injected["from"] < injected["to"] <= silence["to"]
    assert told(pipeline, "gaps", "--entity", "user_2", *PERIOD)["silences"] == []


def test_a_bounded_answer_goes_on_from_its_cursor(pipeline, asked):
    """Answers of one page each add up to the whole one."""
    found, cursor, parts = 0, [], 0
    while True:
        text = pipeline.millrace("lag", *asked.arrived, "--max-pages", "1", "--json", *cursor)
        report = json.loads(text)
        found += report["total"]["events"]
        parts += 1
        if report["coverage"]["complete"]:
            break
        cursor = ["--cursor", report["coverage"]["cursor"]]
    assert found == asked.truth["accepted"] + 50


@pytest.fixture(scope="module")
def eventful(pipeline, asked):
    """A late event that then came again, was exported, and was replayed twice."""
    line = asked.lines[asked.truth["injected"]["late"][0]["line"] - 1]
    event = read_event(line)
    copy = asked.folder / "copy.ndjson"
    copy.write_bytes(line + b"\n")
    before = pipeline.put(copy, "--format", "lines")
    pipeline.settled(before["received"] + 1)
    hour = format_ms(event.event_time)[:13]
    pipeline.millrace("export", hour, "--client", event.client_id)
    plan = replay_plan(pipeline, event)
    for again in ((), ("--again",)):
        replayed(pipeline, plan, *again)
    return event


def replay_plan(pipeline, event):
    start = event.event_time - timedelta(minutes=1)
    window = ("--from", format_ms(start), "--to", format_ms(start + timedelta(minutes=2)))
    entity = event.fields.entity_id
    return json.loads(pipeline.millrace("replay", "plan", "--json", *window, "--entity", entity))


def replayed(pipeline, plan, *arguments):
    applied = pipeline.millrace("replay", "apply", plan["plan_id"], "--json", *arguments)
    replay_id = json.loads(applied)["replay_id"]

    def completed():
        status = json.loads(pipeline.millrace("replay", "status", replay_id, "--json"))
        return status["state"] == "completed"

    wait_until(completed, DEADLINE_S, 0.5)


def test_a_biography_names_all_of_a_life(pipeline, eventful):
    """Arrival, lateness, copy, row, live and both replays' rows, archive, export, replays."""
    event = eventful
    asked_for = ("event", event.event_id, "--source", event.source)
    life = told(pipeline, *asked_for)
    assert (life["late"], life["found_by"]) == (True, "gate")
    assert life["behind_ms"] > 3_600_000
    assert life["event"] == orjson.loads(event.line)
    assert len(life["copies"]) == 1
    assert life["copies"][0]["after_ms"] > 0
    assert all(life["stages"].values())
    assert life["enriched"]["row"]["entity_id"] == event.fields.entity_id
    assert life["archived"]["standing"] == "found"
    assert (life["exported"]["standing"], life["exported"]["client_id"]) == (
        "found", event.client_id,
    )  # fmt: skip
    assert [each["outcome"] for each in life["replays"]] == ["counted", "counted"]
    versions = {"live", *(each["version"] for each in life["replays"])}
    rows = life["counted_in"]
    assert {row["version"] for row in rows} == versions
    assert {row["standing"] for row in rows} == {"found"}
    by_type = {row["version"] for row in rows if row["scope"] == f"TYPE#{event.fields.event_type}"}
    assert by_type == versions
    shown = pipeline.millrace(*asked_for, "--all-copies", "--verbose")
    for name in ("Copies", "Counted in", "Replays", "late", event.client_id, "searched everything"):
        assert name in shown, name


def test_a_life_is_found_without_the_gate(pipeline, eventful):
    """By entity and day, as when the id is forgotten; an unknown id says what to give."""
    event = eventful
    day = event.event_time.date().isoformat()
    found = pipeline.millrace(
        "events", "--entity", event.fields.entity_id, "--from", day, "--source", event.source,
        "--type", event.fields.event_type, "--include-duplicates", "--csv",
    )  # fmt: skip
    assert found.count(f"\n{event.event_id},") == 2
    pipeline.millrace("event", "no-such-id", exit_codes=(1,))
    entity = ("--entity", event.fields.entity_id, "--day", day)
    pipeline.millrace("event", "no-such-id", *entity, exit_codes=(1,))


def test_a_rejected_record_is_found_by_its_place(pipeline, asked, download):
    """Reason and bytes, by shard and sequence number."""
    rows = [
        json.loads(line)
        for found in download("quarantine/").rglob("*.ndjson.gz")
        for line in gzip.decompress(found.read_bytes()).splitlines()
    ]
    begin = parse_rfc3339(format_ms(datetime.fromisoformat(asked.arrived[1])))
    mine = [row for row in rows if parse_rfc3339(row["arrival_time"]) >= begin]
    row = mine[0]
    place = ("--shard", row["shard"].partition("#")[2], "--sequence", row["sequence"])
    record = told(pipeline, "event", *place)
    (part,) = record["quarantined"]
    assert part["reason"] == row["reason"]
    assert part["state"] == "open"
    assert bytes.fromhex(part["bytes_hex"]) in asked.lines
