"""`millrace generate`: what it writes, and what it refuses to overwrite."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from millrace_cli.main import app
from millrace_cli.put import Source, check
from millrace_cli.rows import RowFormat

SMALL = ("--events", "200", "--days", "1", "--seed", "3")


def generate(*options: str) -> Any:
    return CliRunner().invoke(app, ("generate", *SMALL, *options))


def test_four_files_lie_side_by_side(tmp_path: Path) -> None:
    """Events, assignments, experiments and truth; the summary counts what the events hold."""
    out = tmp_path / "shop.ndjson"
    result = generate("--out", str(out))
    assert result.exit_code == 0, result.stderr
    truth = json.loads((tmp_path / "shop.truth.json").read_text())
    lines = out.read_bytes().splitlines()
    assert len(lines) == truth["records"] == 206
    assert "206 records: 200 events (2 of them late), 4 duplicates, 2 malformed" in result.stdout
    for name in ("assignments", "experiments"):
        rows = [*map(json.loads, (tmp_path / f"shop.{name}.ndjson").read_text().splitlines())]
        assert len(rows) == truth[name]
        assert all(row["experiment_id"] for row in rows)
    assert not list(tmp_path.glob("*.part"))
    assert check(Source(str(out), row_format=RowFormat.LINES)) == 206


def test_the_ending_says_gzip_and_standard_output_has_the_same_lines(tmp_path: Path) -> None:
    """What is packed is what is printed; the file holds no time, so a second one is equal."""
    files = [tmp_path / name / "s.ndjson.gz" for name in "ab"]
    for file in files:
        file.parent.mkdir()
        assert generate("--out", str(file)).exit_code == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert gzip.decompress(files[0].read_bytes()) == generate().stdout_bytes
    assert (tmp_path / "a" / "s.truth.json").is_file()


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    """A file in the way stops it before any is written; --force replaces."""
    (tmp_path / "s.truth.json").write_text("mine")
    result = generate("--out", str(tmp_path / "s.ndjson"))
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert [each.name for each in tmp_path.iterdir()] == ["s.truth.json"]
    assert generate("--out", str(tmp_path / "s.ndjson"), "--force", "--json").exit_code == 0
    assert json.loads((tmp_path / "s.truth.json").read_text())["records"] == 206


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--silent-source", "fax:3"), "there is no source 'fax'"),
        (("--silent-source", "web"), "--silent-source 'web'"),
        (("--silent-source", "web:3:noon"), "--silent-source 'web:3:noon'"),
        (("--missing-day", "user_1:sunday"), "--missing-day 'user_1:sunday'"),
        (("--missing-day", ":2025-12-28"), "--missing-day ':2025-12-28'"),
        (("--start", "now"), "--start 'now'"),
        (("--json",), "--json without --out"),
        (("--out", "no/such/folder/s.ndjson"), "no folder"),
    ],
)
def test_wrong_options_are_named(options: tuple[str, ...], problem: str) -> None:
    """One line that names the option and what to write, and no event on standard output."""
    result = generate(*options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert problem in result.stderr
    assert result.stderr.count("\n") == 1
