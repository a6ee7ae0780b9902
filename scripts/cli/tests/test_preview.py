"""`millrace put --dry-run`: what would be sent and rejected, by ingest's own rules."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner

from millrace.event import EventLimits
from millrace_cli.generate.plan import Plan
from millrace_cli.generate.sample import make_sample
from millrace_cli.main import app
from millrace_cli.mapping import parse_mapping
from millrace_cli.preview import SHOWN_REJECTIONS, preview
from millrace_cli.put import Source
from millrace_cli.rows import BadRow, RowFormat

NOW = datetime(2026, 1, 31, tzinfo=UTC)


def test_a_preview_of_a_sample_tells_its_truth(tmp_path: Path) -> None:
    """Valid, repeated and rejected by reason are what the generator injected."""
    sample = make_sample(Plan(events=3_000, days=2, malformed=44))
    file = tmp_path / "s.ndjson"
    file.write_bytes(b"\n".join(sample.lines) + b"\n")
    found = preview(Source(str(file), row_format=RowFormat.LINES), NOW)
    assert (found.records, found.valid - found.repeated) == (3_104, sample.truth.accepted)
    assert found.repeated == sample.truth.duplicates == 60
    assert found.rejected == Counter(sample.truth.quarantined)
    injected = sample.truth.as_dict()["injected"]["malformed"]
    assert len(found.first_rejections) == SHOWN_REJECTIONS
    assert [(each.number, each.reason) for each in found.first_rejections] == [
        (each["line"], each["reason"]) for each in injected[:SHOWN_REJECTIONS]
    ]


def test_mapped_events_are_shown_as_they_would_be_sent(tmp_path: Path) -> None:
    """The first three, with id, time and partition key; rows are counted past the skipped ones."""
    file = tmp_path / "rows.csv"
    file.write_text("who,when\n" + "".join(f"u{n},2025-12-28T00:00:0{n}Z\n" for n in range(6)))
    mapping = parse_mapping(["entity_id=who event_time=when event_type=const:e"])
    found = preview(Source(str(file), mapping, skip=2), NOW)
    assert [(each.number, each.partition_key) for each in found.first_events] == [
        (3, "u2"), (4, "u3"), (5, "u4"),
    ]  # fmt: skip
    assert found.first_events[0].event == {
        "entity_id": "u2",
        "event_time": "2025-12-28T00:00:02Z",
        "event_type": "e",
        "payload": {"who": "u2", "when": "2025-12-28T00:00:02Z"},
    }
    assert (found.records, found.valid) == (4, 4)


def test_limits_and_the_arrival_decide(tmp_path: Path) -> None:
    """An event ahead of its arrival is rejected by the skew that the deployment allows."""
    file = tmp_path / "e.ndjson"
    at = (NOW + timedelta(minutes=10)).isoformat()
    file.write_bytes(orjson.dumps({"entity_id": "u", "event_type": "e", "event_time": at}))
    assert preview(Source(str(file)), NOW).rejected == {"time_in_future": 1}
    wide = EventLimits(max_future_skew=timedelta(hours=1))
    assert preview(Source(str(file)), NOW, wide).valid == 1


def test_what_put_would_refuse_a_dry_run_refuses_too(tmp_path: Path) -> None:
    """A row that is not JSON stops the file, with its line."""
    file = tmp_path / "e.ndjson"
    file.write_text('{"entity_id":"u"}\nnonsense\n')
    with pytest.raises(BadRow, match="line 2"):
        preview(Source(str(file)), NOW)


def test_the_command_needs_no_pipeline_and_sends_nothing(tmp_path: Path) -> None:
    """--dry-run works where nothing runs; --json is for programs, the table for people."""
    file = tmp_path / "e.ndjson"
    file.write_text(
        '{"entity_id":"u","event_type":"e","at":1442018818}\n{"entity_id":"u","at":1442018818}\n'
    )
    arguments = ["put", str(file), "--dry-run", "--engine", "surely-not-there",
                 "--map", "entity_id=entity_id event_type=event_type event_time=at",
                 "--time-format", "epoch_s"]  # fmt: skip
    broken = CliRunner().invoke(app, arguments)
    assert (broken.exit_code, "no column 'event_type'" in broken.stderr) == (1, True)
    file.write_text(file.read_text().replace('"u","at"', '"","event_type":"e","at"'))
    people = CliRunner().invoke(app, arguments)
    assert people.exit_code == 0, people.stderr
    assert "row 2: would be rejected, missing_field: entity_id" in people.stdout
    assert "nothing was sent" in people.stdout
    found = json.loads(CliRunner().invoke(app, [*arguments, "--json"]).stdout)
    assert found["rejected"] == {"missing_field": 1}
    assert found["first_events"][0]["event_time"] == "2015-09-12T00:46:58.000Z"
