"""Starting, finding and ending an engine."""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from millrace_local import engine as life_cycle
from millrace_local import launcher, processes
from millrace_local.engine import Engine
from millrace_local.environment import clean_environment, engine_environment
from millrace_local.errors import LocalEngineError
from millrace_local.ports import choose_port
from millrace_local.project import EngineFolder, default_root, project_root
from millrace_local.venvs import find_uv, missing_venvs
from millrace_testing.wait import wait_until

HOSTILE = {
    "PATH": "/usr/bin",
    "AWS_PROFILE": "production",
    "AWS_SECRET_ACCESS_KEY": "real",
    "AWS_ENDPOINT_URL": "https://example.com",
    "PYTHONPATH": "/somewhere",
    "HTTPS_PROXY": "http://proxy:3128",
    "PERSIST_STATE": "1",
    "SERVICES": "s3",
}


def test_nothing_of_the_callers_environment_reaches_the_engine(tmp_path: Path) -> None:
    """No AWS, Python, proxy or ministack variable of the caller is inherited."""
    env = engine_environment(EngineFolder(tmp_path, "e"), 4566, HOSTILE)
    assert env["PATH"] == "/usr/bin"
    assert env["AWS_SECRET_ACCESS_KEY"] == "test"
    assert env.keys().isdisjoint(HOSTILE.keys() - {"PATH", "AWS_SECRET_ACCESS_KEY"})


def test_the_engine_is_private_and_enforces_iam(tmp_path: Path) -> None:
    """It listens on this machine only, with IAM, and writes below its own folder."""
    folder = EngineFolder(tmp_path, "e")
    env = engine_environment(folder, 4566, HOSTILE)
    assert (env["BIND_HOST"], env["AUTH"], env["IOT_MTLS_ENABLED"]) == ("127.0.0.1", "true", "0")
    for name in ("TMPDIR", "HOME", "S3_DATA_DIR", "STATE_DIR"):
        assert Path(env[name]).is_relative_to(folder.path)


def test_every_process_gets_the_same_clean_base(tmp_path: Path) -> None:
    """The poller inherits no more than the engine does."""
    folder = EngineFolder(tmp_path, "e")
    base = clean_environment(folder, HOSTILE)
    assert base.items() <= engine_environment(folder, 4566, HOSTILE).items()


@pytest.mark.parametrize("name", ["", "../x", "Local", "venvs", "a" * 40, "1st"])
def test_a_name_cannot_lead_out_of_the_root(tmp_path: Path, name: str) -> None:
    """Names become folders that `stop` removes."""
    with pytest.raises(LocalEngineError, match="cannot name an engine"):
        EngineFolder(tmp_path, name)


def test_a_taken_port_is_said_in_one_line() -> None:
    """The message names the port and both remedies."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(LocalEngineError) as caught:
            choose_port(port)
    expected = f"port {port} is in use by another program; set PORT=... or stop it"
    assert str(caught.value) == expected


def test_a_missing_uv_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """UV that names no program is not silently replaced by another."""
    monkeypatch.setenv("UV", "/nowhere/uv")
    with pytest.raises(LocalEngineError, match="UV=/nowhere/uv is not a program"):
        find_uv()


def test_a_folder_that_is_no_engines_is_not_removed(tmp_path: Path) -> None:
    """`stop` with a wrong root or name cannot take somebody's files along."""
    (tmp_path / "precious").mkdir()
    with pytest.raises(LocalEngineError, match="is no engine's folder"):
        life_cycle.stop("precious", tmp_path)
    assert (tmp_path / "precious").exists()


def test_another_version_of_ministack_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shims reach into one version; another is not started half patched."""
    monkeypatch.setattr(launcher.metadata, "version", lambda _: "9.9.9")
    with pytest.raises(SystemExit, match=r"ministack 9\.9\.9 is installed"):
        launcher.main(["--state", "s", "--worker-python", "p"])


def test_the_launchers_version_is_the_required_one() -> None:
    """What requirements/engine.txt installs is what the shims were made for."""
    required = (project_root() / "requirements" / "engine.txt").read_text()
    assert f"ministack=={launcher.PINNED_MINISTACK} " in required


def test_another_programs_pid_is_not_ours() -> None:
    """A pid that was reused by another program is left alone."""
    assert not processes.is_ours(os.getpid(), "/no/such/engine/")
    processes.end(os.getpid(), "/no/such/engine/")


def test_the_command_line_fails_in_one_line(tmp_path: Path) -> None:
    """`status` of an engine that does not run: one line, exit code 1."""
    command = [sys.executable, "-m", "millrace_local", "status", "--root", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: engine local is not running: start it")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.engine
def test_a_running_engine_is_found_and_reused(engine: Engine) -> None:
    """Another process, or a second start, gets the same engine."""
    assert life_cycle.running(engine.name) == engine
    assert life_cycle.start(engine.name, 0) == engine
    record = json.loads(engine.folder.record.read_text())
    assert record["endpoint"] == engine.endpoint
    assert record["port"] == engine.port


@pytest.mark.engine
def test_another_port_than_the_running_engines_is_refused(engine: Engine) -> None:
    """A wish that cannot be met is not passed over; the default, which may be no wish, is said."""
    expected = f"runs on port {engine.port}, not {engine.port + 1}: `make stop` first"
    with pytest.raises(LocalEngineError, match=expected):
        life_cycle.start(engine.name, engine.port + 1)
    assert life_cycle.start(engine.name, engine.port) == engine
    said: list[str] = []
    assert life_cycle.start(engine.name, say=said.append) == engine
    assert said == [
        f"engine {engine.name} runs on port {engine.port}, which is used instead of 4566"
    ]


@pytest.mark.engine
def test_engines_run_side_by_side_and_end_without_a_trace(engine: Engine) -> None:
    """A second engine has its own port and state; ended, neither process nor folder is left."""
    name = f"{engine.name}-two"
    other = life_cycle.start(name, 0)
    try:
        assert other.port != engine.port
        other.client("s3").create_bucket(Bucket="only-there")
        buckets = engine.client("s3").list_buckets()["Buckets"]
        assert "only-there" not in [bucket["Name"] for bucket in buckets]
    finally:
        assert life_cycle.stop(name)
    assert not other.folder.path.exists()
    assert not Path(f"/proc/{other.ministack_pid}/cmdline").exists()
    assert life_cycle.status(name).state == "stopped"
    assert not life_cycle.stop(name)
    assert life_cycle.running(engine.name) == engine


@pytest.mark.engine
def test_the_port_of_a_running_engine_is_refused_to_another(engine: Engine) -> None:
    """Starting under another name on a taken port fails and leaves nothing behind."""
    name = f"{engine.name}-three"
    with pytest.raises(LocalEngineError, match=f"port {engine.port} is in use"):
        life_cycle.start(name, engine.port)
    assert not EngineFolder(default_root(), name).path.exists()


@pytest.mark.engine
def test_a_crashed_engine_is_said_and_replaced(engine: Engine) -> None:
    """Its commands say that it crashed; the next start says so too and begins empty."""
    name = f"{engine.name}-four"
    crashed = life_cycle.start(name, 0)
    said: list[str] = []
    try:
        crashed.client("sqs").create_queue(QueueName="lost")
        os.kill(crashed.ministack_pid, signal.SIGKILL)
        wait_until(lambda: life_cycle.status(name).state == "crashed")
        with pytest.raises(LocalEngineError, match=r"has crashed .*its data is gone"):
            life_cycle.running(name)
        replaced = life_cycle.start(name, 0, say=said.append)
        assert said[:2] == [
            f"engine {name} had crashed: no ministack any more",
            f"engine {name} is started again, its data is gone",
        ]
        assert not replaced.client("sqs").list_queues().get("QueueUrls")
    finally:
        life_cycle.stop(name)


@pytest.mark.engine
def test_a_lost_poller_is_started_again(engine: Engine) -> None:
    """Without its poller the engine keeps its state and gets a new one."""
    name = f"{engine.name}-five"
    first = life_cycle.start(name, 0)
    try:
        first.client("s3").create_bucket(Bucket="kept")
        os.kill(first.poller_pid, signal.SIGKILL)
        wait_until(lambda: life_cycle.status(name).missing == ("poller",))
        said: list[str] = []
        second = life_cycle.start(name, 0, say=said.append)
        assert said[1] == f"engine {name} is started again, it keeps its data"
        assert second.ministack_pid == first.ministack_pid
        assert second.poller_pid != first.poller_pid
        assert second.client("s3").list_buckets()["Buckets"][0]["Name"] == "kept"
    finally:
        life_cycle.stop(name)


@pytest.mark.engine
def test_an_interrupted_start_is_completed(engine: Engine) -> None:
    """An engine that is not complete yet is neither running nor crashed; a start completes it."""
    name = f"{engine.name}-six"
    first = life_cycle.start(name, 0)
    try:
        os.kill(first.poller_pid, signal.SIGKILL)
        record = json.loads(first.folder.record.read_text())
        record["pids"]["poller"] = 0
        first.folder.record.write_text(json.dumps(record))
        assert life_cycle.status(name).state == "starting"
        with pytest.raises(LocalEngineError, match="still starting"):
            life_cycle.running(name)
        assert life_cycle.start(name, 0).ministack_pid == first.ministack_pid
        assert life_cycle.status(name).state == "running"
    finally:
        life_cycle.stop(name)


@pytest.mark.engine
def test_the_engine_listens_on_this_machine_only(engine: Engine) -> None:
    """It answers with AUTH on, and no other address of the machine is bound."""
    with urllib.request.urlopen(f"{engine.endpoint}/_ministack/health") as response:
        assert response.status == 200
    with socket.socket() as other:
        other.bind(("127.0.0.2", engine.port))


def test_missing_environments_are_named(tmp_path: Path) -> None:
    """Where nothing was installed both are missing, and looking makes nothing."""
    assert missing_venvs(tmp_path) == ("engine", "runtime")
    assert not list(tmp_path.iterdir())
