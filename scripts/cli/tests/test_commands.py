"""Wrong use and expected failures: one line, one exit code, no traceback."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace_cli.main import app


def millrace(*arguments: str) -> Any:
    return CliRunner().invoke(app, arguments)


def event_file(folder: Path) -> str:
    file = folder / "events.ndjson"
    file.write_text('{"entity_id":"u"}\n{"entity_id":\n')
    return str(file)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("put", "none.json"), 2, "cannot read none.json"),
        (("put", "EVENTS"), 1, "line 2: not JSON"),
        (("put", "EVENTS", "--map", "entity_id=u"), 2, "where event_type comes from"),
        (
            ("put", "EVENTS", "--map", "entity_id=u event_time=t event_type=const:e"),
            1,
            "line 1: no column 'u'",
        ),
        (("put", "GOOD", "--via", "api", "--outputs", "OUTPUTS"), 1, "has no HTTP API"),
        (("run", "--events", "none.json"), 2, "cannot read none.json"),
        (("run", "--map", "entity_id=u"), 2, "--map without --events"),
        (("run", "--tz", "UTC"), 2, "--tz without --events"),
        (("put", "GOOD", "--time-format", "%H:%M"), 2, "--time-format '%H:%M'"),
        (("put", "GOOD", "--tz", "Mars", "--dry-run"), 2, "--tz 'Mars'"),
        (("run", "--metrics", "none.toml"), 1, "no metrics file none.toml"),
        (("run", "--metrics", "EVENTS"), 1, "not TOML"),
        (("run", "--port", "abc"), 2, "Invalid value for '--port'"),
        (("put", "EVENTS", "--rate", "0"), 2, "Invalid value for '--rate'"),
        (("put", "EVENTS", "--format", "xml"), 2, "'xml' is not one of 'auto'"),
        (("put",), 2, "Missing argument"),
        (
            ("put", "GOOD", "--format", "lines", "--map", "entity_id=u event_type=e event_time=t"),
            2,
            "with --format lines",
        ),
        (("statsu",), 2, "Did you mean 'status'?; see `"),
        (("status", "--nope"), 2, "No such option: --nope"),
        (("archive", "nope"), 2, "No such command 'nope'"),
        (("status", "--outputs", "none.json"), 1, "there is no none.json"),
        (("replay", "run", "--from", "a", "--to", "b", "--json"), 2, "--json without --yes"),
        (("replay", "run", "--from", "2015-09-12T00:00:00", "--to", "b", "--yes"), 2, "--from"),
        (("archive", "ls", "yesterday", "--outputs", "OUTPUTS"), 2, "neither an hour nor a date"),
        (("aggregates", "--scope", "edit", "--outputs", "OUTPUTS"), 2, "not a scope"),
        (("aggregates", "--metric", "m", "--outputs", "OUTPUTS"), 2, "no --scope"),
        (("aggregates", "--scope", "TYPE#e", "--json", "--csv"), 2, "--json and --csv"),
        (
            ("aggregates", "--scope", "TYPE#e", "--version", "last", "--outputs", "OUTPUTS"),
            2,
            "--version 'last' is no version",
        ),
        (
            ("aggregates", "--scope", "TYPE#e", "--from", "now", "--outputs", "OUTPUTS"),
            2,
            "--from 'now' is no time",
        ),
        (
            ("events", "--entity", "e", "--from", "soon", "--outputs", "OUTPUTS"),
            2,
            "--from 'soon' is no time",
        ),
        (
            ("events", "--entity", "e", "--from", "2015-09-12", "--to", "2015-09-12"),
            2,
            "--to is not after --from",
        ),
        (("export",), 2, "say which hours"),
        (("export", "2015-09-12T13", "--from", "2015-09-12"), 2, "say which hours"),
        (("export", "yesterday"), 2, "neither an hour nor a date"),
        (("export", "--from", "2015-09-12", "--to", "2015-09-11"), 2, "--to is not after --from"),
        (("export", "2015-09-12T13", "--outputs", "OUTPUTS"), 1, "has no export"),
    ],
)
def test_an_expected_failure_is_one_line_with_a_remedy(
    arguments: tuple[str, ...], code: int, problem: str, tmp_path: Path
) -> None:
    """`error: what; remedy` on standard error, nothing on standard output."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text(
        '{"region":"us-east-1","name_prefix":"p","stream_arn":"a","stream_incarnation":"i",'
        '"data_bucket":"b","tables":{"commits":"c","gate":"g","event_index":"e","aggregates":"a","manifests":"m","assignments":"x","experiments":"y"},'
        '"queue_urls":{},"dlq_urls":{}}'
    )
    good = tmp_path / "good.ndjson"
    good.write_text('{"entity_id":"u"}\n')
    files = {"EVENTS": event_file(tmp_path), "OUTPUTS": str(outputs), "GOOD": str(good)}
    result = millrace(*(files.get(each, each) for each in arguments))
    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("error: ")
    assert problem in result.stderr
    assert ";" in result.stderr


def test_an_engine_that_does_not_run_says_how_to_start_it() -> None:
    """Every command that needs the engine names the one command that starts it."""
    for command in (
        ("status",),
        ("archive", "ls", "2015-09-12"),
        ("aggregates", "--scope", "TYPE#e"),
        ("events", "--entity", "e", "--from", "2015-09-12"),
        ("event", "id"),
        ("env",),
        ("export", "2015-09-12T13"),
    ):
        result = millrace(*command, "--engine", "surely-not-there")
        assert result.exit_code == 1
        assert "is not running" in result.stderr
        assert "make run" in result.stderr


def test_incomplete_outputs_name_the_field(tmp_path: Path) -> None:
    """What Terraform did not say is named, with the remedy."""
    outputs = tmp_path / "outputs.json"
    outputs.write_text('{"region":{"value":"us-east-1"}}')
    result = millrace("status", "--outputs", str(outputs))
    assert (result.exit_code, "output name_prefix" in result.stderr) == (1, True)


def test_without_terraform_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """`run` says what is missing before it builds or starts anything."""
    monkeypatch.setenv("TERRAFORM", "no-such-terraform")
    result = millrace("run", "--engine", "surely-not-there")
    assert result.exit_code == 1
    assert "terraform is missing" in result.stderr
    assert "install" in result.stderr


@pytest.mark.parametrize(
    ("definitions", "named"),
    [
        ('[[metric]]\nname = "m"\nkind = "sum"\ndimensions = ["type"]\nwindows = ["hour"]\n',
         ("metric m", "value")),
        ('[[metric]]\nname = "m"\nkind = "median"\n', ("metric m", "kind")),
        ("", ("no metric",)),
    ],
)  # fmt: skip
def test_wrong_metrics_stop_a_run_before_anything_is_done(
    definitions: str, named: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File, metric and field are named; even Terraform is not looked for yet."""
    monkeypatch.setenv("TERRAFORM", "no-such-terraform")
    file = tmp_path / "metrics.toml"
    file.write_text(definitions)
    result = millrace("run", "--metrics", str(file), "--engine", "surely-not-there")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (1, "", 1)
    assert result.stderr.startswith(f"error: {file}: ")
    assert all(each in result.stderr for each in named)


def test_version_and_help() -> None:
    """Both answer without an engine; help names every command."""
    assert millrace("--version").stdout.startswith("millrace 0")
    text = millrace("--help").stdout
    assert all(name in text for name in ("put", "generate", "run", "env", "doctor", "status"))
    assert "Leaves the engine running" in millrace("run", "--help").stdout
    bare = millrace("archive")
    assert (bare.exit_code, bare.stderr) == (2, "")
    assert "cat" in bare.stdout
