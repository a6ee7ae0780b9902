"""`millrace assignments load` and `millrace experiments load`: files, rows, and tables on moto."""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from typer.testing import CliRunner, Result

from millrace.assignments import EntityAssignment, EntityAssignments
from millrace.aws.assignments import DynamoAssignments
from millrace.aws.experiments import DynamoExperiments
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.loading import Change, Loaded, LoadSource, chunks, load
from millrace_cli.main import app
from millrace_testing.tables import ASSIGNMENTS, EXPERIMENTS, create_table

AT = "2025-12-28T09:00:00Z"
ROW = {"entity_id": "user #1/ü", "experiment_id": "e1", "variant": "A", "assigned_at": AT}


@dataclass(frozen=True)
class Entry:
    """An entry of no table."""

    key: str
    value: int = 0


class FakeTable:
    """Keeps what it is given; `fault(call)` may stop it."""

    def __init__(self, fault: Callable[[int], None] = lambda _: None) -> None:
        self.chunks: list[list[Entry]] = []
        self._fault = fault

    def store(self, entries: Sequence[Entry]) -> list[Change]:
        self._fault(len(self.chunks))
        self.chunks.append(list(entries))
        return [Change.NEW] * len(entries)


@dataclass
class Deployment:
    """The two tables on moto, and the command on them."""

    dynamodb: Any
    outputs: str

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, [*arguments, "--outputs", self.outputs], input=stdin)

    def assigned(self, *entities: str) -> dict[str, list[tuple[str, str]]]:
        found = DynamoAssignments(self.dynamodb, "assignments").of(entities)
        return {
            entity: [(each.experiment_id, each.variant) for each in mine.known]
            for entity, mine in found.items()
        }


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Deployment]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    tables = {name: name for name in ("assignments", "experiments")}
    tables |= dict.fromkeys(("commits", "gate", "event_index", "aggregates", "manifests"), "none")
    outputs = {"region": "us-east-1", "name_prefix": "p", "stream_arn": "a"}
    outputs |= {"stream_incarnation": "i", "data_bucket": "data"}
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps(outputs | {"tables": tables, "queue_urls": {}, "dlq_urls": {}}))
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        create_table(client, "assignments", ASSIGNMENTS)
        create_table(client, "experiments", EXPERIMENTS)
        yield Deployment(client, str(file))


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., str]:
    """Write rows as NDJSON, or a text as it is; return the path."""

    def write(*rows: dict[str, object] | str, name: str = "rows.ndjson") -> str:
        file = tmp_path / name
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        file.write_text("\n".join(lines) + "\n")
        return str(file)

    return write


def test_assignments_are_loaded_once(deployment: Deployment, written: Callable[..., str]) -> None:
    """The same file again changes nothing; several experiments an entity stand side by side."""
    file = written(ROW, ROW | {"experiment_id": "e2", "variant": "B"}, ROW | {"entity_id": "u2"})
    for expected in ({"new": 3, "unchanged": 0}, {"new": 0, "unchanged": 3}):
        done = deployment.run("assignments", "load", file, "--json")
        assert done.exit_code == 0, done.stderr
        result = json.loads(done.stdout)
        assert {name: result[name] for name in expected} == expected
        assert (result["rows"], result["changed"]) == (3, 0)
    assert deployment.assigned("user #1/ü", "u2") == {
        "user #1/ü": [("e1", "A"), ("e2", "B")],
        "u2": [("e1", "A")],
    }
    assert "3 unchanged" in deployment.run("assignments", "load", file).stdout


def test_a_later_row_holds(deployment: Deployment, written: Callable[..., str]) -> None:
    """Of two rows for one entity and experiment the second one stands, and is told as a change."""
    file = written(ROW, ROW | {"variant": "B"}, ROW | {"variant": "C"})
    result = json.loads(deployment.run("assignments", "load", file, "--json").stdout)
    assert (result["new"], result["changed"]) == (1, 2)
    assert deployment.assigned("user #1/ü") == {"user #1/ü": [("e1", "C")]}


def test_csv_with_other_columns(deployment: Deployment, written: Callable[..., str]) -> None:
    """--map names the columns and constants; what it does not name is left out, knowingly."""
    file = written("user,arm,since,country", f"7,A,{AT},NL", f"8,B,{AT},NL", name="rows.csv")
    mapping = "entity_id=user variant=arm assigned_at=since experiment_id=const:e1"
    done = deployment.run("assignments", "load", file, "--map", mapping)
    assert done.exit_code == 0, done.stderr
    assert deployment.assigned("7", "8") == {"7": [("e1", "A")], "8": [("e1", "B")]}


def test_standard_input_is_loaded(deployment: Deployment) -> None:
    """A pipe works too; an offset is kept as UTC, to the millisecond."""
    row = ROW | {"assigned_at": "2025-12-28T10:00:00.1239+01:00"}
    done = deployment.run("assignments", "load", "-", stdin=json.dumps(row))
    assert done.exit_code == 0, done.stderr
    at = datetime(2025, 12, 28, 9, 0, 0, 123_000, tzinfo=UTC)
    found = DynamoAssignments(deployment.dynamodb, "assignments").of(["user #1/ü"])
    assert list(found.values()) == [EntityAssignments((EntityAssignment("e1", "A", at),))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"variant": None}, "line 2: variant is missing; give it a value"),
        ({"entity_id": ""}, "line 2: entity_id is missing"),
        ({"experiment_id": ["e"]}, "line 2: experiment_id is no text"),
        ({"variant": "x" * 129}, "line 2: variant has 129 characters; use 128 at most"),
        ({"assigned_at": "2025-12-28T09:00:00"}, "line 2: assigned_at is no time"),
        ({"assigned_at": "yesterday"}, "write it as RFC 3339 with an offset"),
        ({"country": "NL"}, "line 2: an assignment has no field country; name the columns"),
    ],
)
def test_a_bad_assignment_stops_everything(
    deployment: Deployment, written: Callable[..., str], change: dict[str, object], message: str
) -> None:
    """Line, field and remedy are named, and the good row before it is not stored either."""
    done = deployment.run("assignments", "load", written(ROW, ROW | change))
    assert done.exit_code == ExitCode.ERROR
    assert message in done.stderr
    assert "nothing was stored" in done.stderr
    assert deployment.assigned("user #1/ü") == {}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("entity_id=user", "--map does not say where experiment_id comes from"),
        ("colour=x", "unknown assignment field, colour; use entity_id, experiment_id"),
    ],
)
def test_a_wrong_mapping_is_wrong_use(
    deployment: Deployment, written: Callable[..., str], mapping: str, message: str
) -> None:
    """A mapping that cannot work is refused before the file is read."""
    done = deployment.run("assignments", "load", written(ROW), "--map", mapping)
    assert done.exit_code == ExitCode.USAGE
    assert message in done.stderr


def test_experiments_are_loaded_once(deployment: Deployment, written: Callable[..., str]) -> None:
    """All other columns are metadata; the same again is unchanged, another replaces it whole."""
    first = {"experiment_id": "e#1", "owner": "growth", "share": 0.25, "tags": ["a"], "end": None}
    second = {"experiment_id": "e#1", "owner": "core"}
    files = [written(first, name="1.json"), written(first, name="2.json")]
    files.append(written(second, {"experiment_id": "e2"}, name="3.json"))
    results = [
        json.loads(deployment.run("experiments", "load", file, "--json").stdout) for file in files
    ]
    assert [(each["new"], each["changed"], each["unchanged"]) for each in results] == [
        (1, 0, 0),
        (0, 0, 1),
        (1, 1, 0),
    ]
    found = DynamoExperiments(deployment.dynamodb, "experiments").metadata_of(["e#1", "e2"])
    assert found == {"e#1": {"owner": "core"}, "e2": {}}


def test_experiment_columns_may_be_chosen(
    deployment: Deployment, written: Callable[..., str]
) -> None:
    """With --map only what it names is kept, under any name."""
    file = written("id,Owner name,notes", "e1,growth,private", name="rows.csv")
    mapping = "experiment_id=id owner=Owner name source=const:export"
    done = deployment.run("experiments", "load", file, "--map", mapping)
    assert done.exit_code == 0, done.stderr
    found = DynamoExperiments(deployment.dynamodb, "experiments").metadata_of(["e1"])
    assert found == {"e1": {"owner": "growth", "source": "export"}}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('{"owner": "x"}', "line 1: experiment_id is missing"),
        ('{"experiment_id": "e", "a": {"b": [1, 1e300]}}', "a.b[1] is a number beyond"),
        ('{"experiment_id": "e", "a": {"": 1}}', "a field in a has no name"),
        (json.dumps({"experiment_id": "e", "text": "x" * 20_000}), "keep it to 16384"),
    ],
)
def test_a_bad_experiment_stops_everything(
    deployment: Deployment, written: Callable[..., str], row: str, message: str
) -> None:
    """What no table can hold, or every row would have to carry, is refused by line and field."""
    done = deployment.run("experiments", "load", written(row))
    assert done.exit_code == ExitCode.ERROR
    assert message in done.stderr


def test_a_missing_table_is_explained(deployment: Deployment, written: Callable[..., str]) -> None:
    """A failure of AWS names what was not done and how to go on."""
    deployment.dynamodb.delete_table(TableName="assignments")
    done = deployment.run("assignments", "load", written(ROW))
    assert done.exit_code == ExitCode.ERROR
    assert "cannot store assignments: it is not there" in done.stderr
    assert "(0 rows were stored)" in done.stderr


def numbered(written: Callable[..., str], count: int, skip: int = 0) -> LoadSource[Entry]:
    file = written(*({"n": n} for n in range(count)))
    return LoadSource(file, lambda row: Entry(str(row.fields["n"])), skip=skip)


def test_an_interrupt_says_how_to_resume(written: Callable[..., str]) -> None:
    """Ctrl-C ends with code 130, what is stored, and the --skip that goes on from there."""

    def interrupted(call: int) -> None:
        if call == 2:
            raise KeyboardInterrupt

    loaded = Loaded()
    with pytest.raises(CommandError) as caught:
        load(numbered(written, 2000, skip=100), FakeTable(interrupted), loaded)
    assert str(caught.value) == "interrupted (1000 rows were stored); resume with --skip 1100"
    assert caught.value.code is ExitCode.INTERRUPTED
    table = FakeTable()
    load(numbered(written, 2000, skip=1100), table, Loaded())
    assert [entry.key for chunk in table.chunks for entry in chunk] == [
        str(n) for n in range(1100, 2000)
    ]


def test_progress_is_told(written: Callable[..., str]) -> None:
    """After each chunk whoever listens hears how far the load is."""
    heard: list[int] = []
    loaded = Loaded(listeners=[heard.append])
    load(numbered(written, 1200), FakeTable(), loaded)
    assert heard == [500, 1000, 1200]
    assert loaded.changes == {Change.NEW: 1200}


def test_one_key_never_goes_twice_at_once() -> None:
    """Rows of one key are stored one after the other, and none is dropped."""
    entries = [Entry("a", 1), Entry("b", 2), Entry("a", 3), Entry("a", 4), Entry("c", 5)]
    assert [[each.value for each in chunk] for chunk in chunks(entries)] == [[1, 2], [3], [4, 5]]
