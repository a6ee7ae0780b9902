"""A large hour, exported in a process of its own: each event in one file, bounded memory."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

EVENTS, CLIENTS = 100_000, 50
MAX_MEMORY_MB = 200


def step(name: str, folder: Path, *options: str) -> str:
    command = [sys.executable, "-m", "millrace_bench.export_hour", name, str(folder), *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> tuple[Path, dict[str, float]]:
    folder = tmp_path_factory.mktemp("hour")
    step("make", folder, "--events", str(EVENTS), "--clients", str(CLIENTS))
    return folder, json.loads(step("run", folder))


def test_each_event_is_in_exactly_one_file(exported):
    """100,000 events of 50 clients: each in its client's file, once."""
    folder, figures = exported
    files = list((folder / "files/clients").glob("*/events-2025-12-28-09.json"))
    assert (figures["events"], len(files)) == (EVENTS, CLIENTS)
    seen: Counter[str] = Counter()
    for file in files:
        rows = [orjson.loads(line) for line in file.read_bytes().splitlines()]
        assert {row["client_id"] for row in rows} == {file.parent.name}
        seen.update(row["event_id"] for row in rows)
    assert (len(seen), set(seen.values())) == (EVENTS, {1})


def test_memory_is_bounded(exported):
    """The peak of the whole process, boto3 and all, stays below 200 MB."""
    _, figures = exported
    assert figures["peak_mb"] <= MAX_MEMORY_MB
