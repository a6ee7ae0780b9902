"""Each check, on machines that lack something; and the command, on this one."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from moto import mock_aws
from typer.testing import CliRunner

from millrace_cli.doctor.findings import Check, Finding, State, examine
from millrace_cli.doctor.host import AWS_PROVIDER, GB, HOST_CHECKS
from millrace_cli.doctor.machine import ThisMachine
from millrace_cli.doctor.pipeline import deployment_checks, engine_checks
from millrace_cli.errors import CommandError
from millrace_cli.main import app
from millrace_local.engine import Engine, Status
from millrace_local.errors import LocalEngineError
from millrace_local.project import EngineFolder

CHECKS = HOST_CHECKS + engine_checks("local") + deployment_checks("dev")
RUNNING = Status("running", Engine(EngineFolder(Path("state"), "local"), 4566, 1, 2, "now"))
STOPPED = Status("stopped", None)
CRASHED = Status("crashed", RUNNING.engine, ("poller",))


@dataclass
class FakeMachine:
    """A machine on which all is well, but for what a test takes away. An exception is raised."""

    python: tuple[int, int] = (3, 12)
    modules: frozenset[str] = frozenset({"venv", "ensurepip"})
    programs: dict[str, str] = field(default_factory=lambda: {"make": "GNU Make 4.4.1\n"})
    set_up: bool = True
    terraform_path: Any = "/usr/bin/terraform"
    mirror: Any = None
    uv_path: Any = "/usr/bin/uv"
    refused: tuple[Path, ...] = ()
    disk: int = 100 * GB
    memory: int | None = 8 * GB
    free: bool = True
    venvs: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    state: Any = RUNNING
    account_id: Any = "123456789012"
    pipeline: Exception | None = None

    def has_module(self, name: str) -> bool:
        return name in self.modules

    def output(self, command: Sequence[str]) -> str | None:
        return self.programs.get(command[0])

    def is_set_up(self) -> bool:
        return self.set_up

    def terraform(self) -> str:
        return given(self.terraform_path)

    def provider_mirror(self) -> Path | None:
        return given(self.mirror)

    def uv(self) -> str:
        return given(self.uv_path)

    def unwritable(self) -> list[Path]:
        return list(self.refused)

    def free_disk_bytes(self) -> int:
        return self.disk

    def available_memory_bytes(self) -> int | None:
        return self.memory

    def port_is_free(self, port: int) -> bool:
        return self.free

    def missing_venvs(self) -> tuple[str, ...]:
        return self.venvs

    def stale_zips(self) -> tuple[str, ...]:
        return self.stale

    def engine(self, name: str) -> Status:
        return given(self.state)

    def account(self) -> str:
        return given(self.account_id)

    def read_pipeline(self, env: str) -> None:
        given(self.pipeline)


def given(value: Any) -> Any:
    if isinstance(value, Exception):
        raise value
    return value


def findings(machine: FakeMachine) -> dict[str, Finding]:
    return {each.name: each.finding for each in examine(CHECKS, machine)}


def test_a_machine_that_has_everything_passes(tmp_path: Path) -> None:
    """Every check is ok, and none of them needs a remedy."""
    (tmp_path / AWS_PROVIDER).mkdir(parents=True)
    found = findings(FakeMachine(mirror=tmp_path))
    assert {each.state for each in found.values()} == {State.OK}
    assert {each.remedy for each in found.values()} == {""}


@pytest.mark.parametrize(
    ("machine", "name", "detail", "remedy"),
    [
        (FakeMachine(python=(3, 10)), "Python", "3.10 is too old", "make setup PYTHON="),
        (FakeMachine(modules=frozenset({"venv"})), "Python", "no ensurepip", "python3-venv"),
        (FakeMachine(programs={}), "make", "not there", "apt-get install make"),
        (FakeMachine(programs={"make": "GNU Make 3.81\n"}), "make", "GNU make 3.81", "gmake"),
        (FakeMachine(programs={"make": "bmake"}), "make", "not there", "GNU make 4"),
        (FakeMachine(set_up=False), "set-up", "older than", "`make setup`"),
        (FakeMachine(refused=(Path("dist"),)), "permissions", "dist", "chown"),
        (FakeMachine(disk=GB // 2), "disk", "0.5 GB", "free some"),
        (FakeMachine(memory=GB // 4), "memory", "0.2 GB", "end other programs"),
        (FakeMachine(uv_path=LocalEngineError("uv is missing: run `make setup`")),
         "uv", "uv is missing", "run `make setup`"),
        (FakeMachine(terraform_path=LocalEngineError("terraform 1.5 is too old: install 1.11")),
         "Terraform", "terraform 1.5 is too old", "install 1.11"),
        (FakeMachine(mirror=LocalEngineError("TF_PLUGIN_MIRROR=x holds no y: unset it")),
         "providers", "holds no y", "unset it"),
        (FakeMachine(mirror=Path("nowhere")), "providers", "nowhere holds no", "providers mirror"),
        (FakeMachine(state=CRASHED), "engine", "poller gone", "`make run` starts it again"),
        (FakeMachine(state=LocalEngineError("'X' cannot name an engine")), "engine",
         "cannot name", "--engine"),
        (FakeMachine(state=STOPPED, free=False), "port", "another program", "PORT=0"),
        (FakeMachine(account_id=NoCredentialsError()), "AWS credentials", "no AWS", "AWS_PROFILE"),
        (FakeMachine(account_id=ClientError({"Error": {"Code": "ExpiredToken"}}, "x")),
         "AWS credentials", "not allowed (ExpiredToken)", "check the credentials"),
        (FakeMachine(pipeline=CommandError("nothing is known here", "deploy it")),
         "deployment dev", "nothing is known here", "deploy it"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_its_remedy(
    machine: FakeMachine, name: str, detail: str, remedy: str
) -> None:
    """One thing lacks: its check alone says so, and what to do about it."""
    found = findings(machine)
    assert found[name].state is State.MISSING
    assert detail in found[name].detail
    assert remedy in found[name].remedy
    assert [key for key, each in found.items() if each.state is State.MISSING] == [name]


@pytest.mark.parametrize(
    ("machine", "name", "detail"),
    [
        (FakeMachine(), "providers", "registry.terraform.io"),
        (FakeMachine(memory=None), "memory", "does not say"),
        (FakeMachine(venvs=("engine",)), "engine's environments", "engine"),
        (FakeMachine(stale=("ingest",)), "zips", "ingest"),
        (FakeMachine(state=STOPPED), "engine", "local is stopped"),
    ],
)
def test_what_is_made_when_needed_is_a_note(machine: FakeMachine, name: str, detail: str) -> None:
    """It stops nothing: the state is a note, not a thing that is missing."""
    found = findings(machine)
    assert found[name].state is State.NOTE
    assert detail in found[name].detail
    assert State.MISSING not in {each.state for each in found.values()}


def test_the_command_tells_people_and_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing Terraform is exit code 1, in the table and in JSON; the rest is still looked at."""
    monkeypatch.setenv("TERRAFORM", "no-such-terraform")
    people = CliRunner().invoke(app, ["doctor", "--engine", "surely-not-there"])
    assert (people.exit_code, "missing: " in people.stdout) == (1, True)
    result = CliRunner().invoke(app, ["doctor", "--json", "--engine", "surely-not-there"])
    found = json.loads(result.stdout)
    states = {each["check"]: each["state"] for each in found["checks"]}
    assert result.exit_code == 1
    assert (states["Terraform"], states["Python"], states["uv"]) == ("missing", "ok", "ok")
    assert found["missing"] == sum(state == "missing" for state in states.values())


def test_this_machine_answers_every_question() -> None:
    """No probe of the real machine raises anything that a check does not expect."""
    results = examine(HOST_CHECKS + engine_checks("surely-not-there"), ThisMachine())
    assert len(results) == len(HOST_CHECKS) + 4
    assert all(each.finding.remedy for each in results if each.finding.state is State.MISSING)
    assert examine((Check("x", lambda machine: Finding(State.OK, str(machine.python))),),
                   ThisMachine())[0].finding.detail.startswith("(3, ")  # fmt: skip


def test_the_account_is_asked_for_whatever_the_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a configured region STS still answers; a credential problem is AWS's own error."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "none")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        assert ThisMachine().account() == "123456789012"
