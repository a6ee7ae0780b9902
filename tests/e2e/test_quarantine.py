"""`millrace quarantine` on the deployed pipeline: a thousand rejects of five kinds, and back."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from pipeline import Pipeline

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

SOURCE = "quarantine-e2e"
DAY = "2014-04-01"
EACH, GOOD, HOPELESS = 200, 50, 3
RULE = """
steps = [
  { rename = "data.event_type", to = "event_type" },
  { rename = "data.entity_id", to = "entity_id" },
  { rename = "data.event_time", to = "event_time" },
  { rename = "data.source", to = "source" },
  { rename = "ts", to = "event_time" },
  { cast = "event_time", as = "timestamp", zone = "Europe/Berlin" },
  { cast = "entity_id", as = "string" },
  { cast = "schema_version", as = "int" },
]
"""


def event(number: int) -> dict[str, Any]:
    """Return a good event without an id: what it holds is what it is."""
    return {
        "event_type": "mended",
        "entity_id": str(number),
        "event_time": f"{DAY}T{hour(number):02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "source": SOURCE,
    }


def hour(number: int) -> int:
    return 6 + number % 7


def renamed(number: int) -> dict[str, Any]:
    good = event(number)
    return {"ts": good.pop("event_time")} | good


def local(number: int) -> dict[str, Any]:
    """Its clock was in Berlin, two hours ahead of UTC on that day, and it does not say so."""
    at = datetime.fromisoformat(event(number)["event_time"])
    return event(number) | {
        "event_time": f"{at.replace(hour=at.hour + 2, tzinfo=None).isoformat()}"
    }


def textual_version(number: int) -> dict[str, Any]:
    return event(number) | {"schema_version": "1"}


def numeric_entity(number: int) -> dict[str, Any]:
    return event(number) | {"entity_id": number}


def nested(number: int) -> dict[str, Any]:
    return {"data": event(number)}


KINDS = (renamed, local, textual_version, numeric_entity, nested)
REASONS = {"missing_field": 2 * EACH, "time_without_offset": EACH, "wrong_type": 2 * EACH}
BAD = EACH * len(KINDS)


def asked(pipeline: Pipeline, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> Any:
    return json.loads(pipeline.millrace("quarantine", *arguments, "--json", exit_codes=exit_codes))


def counted(pipeline: Pipeline, by: str, *arguments: str) -> dict[str, int]:
    groups = asked(pipeline, "stats", "--by", by, *arguments)["groups"]
    return {group[by]: group["records"] for group in groups}


def hourly(pipeline: Pipeline) -> dict[int, int]:
    printed = pipeline.millrace(
        "aggregates", "--scope", f"SOURCE#{SOURCE}", "--metric", "event_count", "--json"
    )
    return {int(row["window_start"][11:13]): row["value"] for row in json.loads(printed)}


@pytest.fixture(scope="module")
def window(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Everything sent, and received: good ones, five kinds of bad ones, hopeless ones."""
    lines = [orjson.dumps(event(BAD + n)) for n in range(GOOD)]
    lines += [orjson.dumps(KINDS[n % len(KINDS)](n)) for n in range(BAD)]
    lines += [orjson.dumps(event(n))[:-9] for n in range(HOPELESS)]
    file = tmp_path_factory.mktemp("quarantine") / "mixed.lines"
    file.write_bytes(b"\n".join(lines) + b"\n")
    start = datetime.now(UTC)
    before = pipeline.put(file, "--format", "lines")
    after = pipeline.settled(before["received"] + len(lines))["counts"]
    assert after["quarantined"] - before["quarantined"] == BAD + HOPELESS
    return ["--from", start.isoformat()]


def test_a_thousand_rejects_of_five_kinds_are_mended_and_counted_exactly(
    pipeline: Pipeline, window: list[str], tmp_path: Path
) -> None:
    """One rule, tried and then sent: every aggregate is exact, and the second time nothing is."""
    assert counted(pipeline, "reason", *window) == REASONS | {"not_json": HOPELESS}
    listed = pipeline.millrace(
        "quarantine", "list", *window, "--limit", str(BAD + HOPELESS), "--json"
    ).splitlines()
    assert Counter(json.loads(line)["reason"] for line in listed) == Counter(
        REASONS | {"not_json": HOPELESS}
    )
    assert hourly(pipeline) == Counter(hour(BAD + n) for n in range(GOOD))

    rule = tmp_path / "rule.toml"
    rule.write_text(RULE)
    tried = asked(pipeline, "patch", str(rule), *window)
    assert (tried["selected"], tried["valid"], tried["repeated"]) == (BAD + HOPELESS, BAD, 0)
    assert (tried["mended"], tried["problems"]) == (REASONS, {"not_patchable": HOPELESS})

    done = asked(pipeline, "recover", "--rule", str(rule), *window, "--wait")
    assert (done["sent"], done["fates"]) == (BAD, {"accepted": BAD})
    pipeline.settled(pipeline.status()["counts"]["received"])
    expected = Counter(hour(n) for n in range(BAD + GOOD))
    assert hourly(pipeline) == expected
    assert counted(pipeline, "state", *window) == {"recovered": BAD, "open": HOPELESS}

    # The rule's file is gone, its hash is enough; and nothing is left for it to do.
    again = asked(pipeline, "recover", "--rule", tried["rule_hash"], *window, "--wait")
    assert (again["selected"], again["sent"]) == (HOPELESS, 0)
    assert hourly(pipeline) == expected

    place = json.loads(listed[0])["record"]
    shown = asked(pipeline, "show", place)
    assert (shown["state"], shown["rule"]) == ("recovered", done["rule_hash"])
    assert shown["mark"]["rule"]["steps"][0] == {"rename": "data.event_type", "to": "event_type"}


def test_what_nobody_wants_back_is_dropped_with_a_reason(
    pipeline: Pipeline, window: list[str]
) -> None:
    """Not without choice and reason; a dry run marks nothing; bytes stay, and the audit knows."""
    choice = (*window, "--rejected", "not_json")
    pipeline.millrace("quarantine", "drop", *window, "--reason", "all?", exit_codes=(2,))
    pipeline.millrace("quarantine", "drop", *choice, "--reason", "  ", exit_codes=(2,))
    arguments = ("drop", *choice, "--reason", "cut off by a test")
    assert asked(pipeline, *arguments, "--dry-run")["dropped"] == HOPELESS
    assert counted(pipeline, "state", *choice) == {"open": HOPELESS}
    assert asked(pipeline, *arguments)["dropped"] == HOPELESS
    assert asked(pipeline, *arguments)["dropped"] == 0
    assert counted(pipeline, "state", *choice) == {"dropped": HOPELESS}
    listed = pipeline.millrace("quarantine", "list", *choice, "--limit", "1", "--json")
    place = json.loads(listed)["record"]
    assert pipeline.millrace("quarantine", "show", place, "--raw").startswith('{"event_type"')
    entries = [
        json.loads(line)
        for line in pipeline.millrace("audit", "--operation", "quarantine.drop", "--json").split(
            "\n"
        )
        if line
    ]
    assert [(each["phase"], each["counts"]) for each in entries[:2]] == [
        ("begun", {}),
        ("done", {"dropped": HOPELESS}),
    ]
