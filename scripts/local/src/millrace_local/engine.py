"""The life cycle of a local engine: start, find and end ministack and the mapping poller."""

import contextlib
import fcntl
import json
import os
import shutil
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from millrace_local import environment, processes
from millrace_local.errors import LocalEngineError
from millrace_local.files import write_json
from millrace_local.ports import DEFAULT_PORT, HOST, choose_port
from millrace_local.project import EngineFolder, default_root
from millrace_local.venvs import Interpreters, ensure_venvs

DEFAULT_NAME = "local"
_HEALTH_DEADLINE_S = 60
_NOT_STARTED = 0  # stands for a pid
Say = Callable[[str], None]


@dataclass(frozen=True)
class Engine:
    """A running engine: ministack at `endpoint` and the poller of its Kinesis mappings."""

    folder: EngineFolder
    port: int
    ministack_pid: int
    poller_pid: int
    started_at: str
    shard_limits: bool = False

    @property
    def name(self) -> str:
        """Its name; several engines run side by side under different names."""
        return self.folder.name

    @property
    def endpoint(self) -> str:
        """The URL of every AWS API."""
        return f"http://{HOST}:{self.port}"

    def client(self, service: str, **options: Any) -> Any:  # noqa: ANN401 - boto3's are dynamic
        """Return a boto3 client of this engine, as root, whatever AWS_* the caller has set.

        options: of botocore's Config. A proxy of the caller is not used.
        """
        session = boto3.session.Session(
            aws_access_key_id=environment.CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment.CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            region_name=environment.REGION,
        )
        config = Config(proxies={}, s3={"addressing_style": "path"}, max_pool_connections=64).merge(
            Config(**options)
        )
        create: Any = session.client  # a name that is not a literal has no overload
        return create(service, endpoint_url=self.endpoint, config=config)

    def environment(self) -> dict[str, str]:
        """Return the variables by which any AWS SDK or Terraform reaches this engine."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": environment.REGION,
            "AWS_DEFAULT_REGION": environment.REGION,
            **environment.CREDENTIALS,
        }


@dataclass(frozen=True)
class Status:
    """What is known about a name: `stopped`, `starting`, `running` or `crashed`.

    missing: the processes that are gone, or not there yet.
    """

    state: str
    engine: Engine | None
    missing: tuple[str, ...] = ()


def start(
    name: str = DEFAULT_NAME,
    port: int | None = DEFAULT_PORT,
    root: Path | None = None,
    say: Say = lambda _: None,
    *,
    shard_limits: bool | None = None,
) -> Engine:
    """Return the running engine of that name, starting it if need be.

    A running one is reused. A crashed one is said to have crashed: without its poller only that is
    started again; without ministack its state is lost and it starts empty.

    port: 0 or None for any free one.
    shard_limits: whether an engine that is started enforces the throughput of Kinesis shards; if
        not said, the variable SHARD_LIMITS says it.
    Raises: LocalEngineError: the port is taken, or is not that of the running engine; uv is
        missing; it does not become healthy.
    """
    folder = EngineFolder(root or default_root(), name)
    with _locked(folder):
        found = _status(folder)
        if found.engine and "ministack" not in found.missing:
            _check_port(found.engine, port, say)
        if found.state == "running" and found.engine:
            return found.engine
        if found.state == "crashed":
            say(f"engine {name} had crashed: no {' and no '.join(found.missing)} any more")
            kept = "it keeps its data" if found.missing == ("poller",) else "its data is gone"
            say(f"engine {name} is started again, {kept}")
        if found.engine and found.missing == ("poller",):
            _wait_until_healthy(found.engine)
            return _with_poller(found.engine)
        if found.engine:
            _remove(folder, found.engine)
        limited = environment.wants_shard_limits() if shard_limits is None else shard_limits
        return _start(folder, port, say, shard_limits=limited)


def stop(name: str = DEFAULT_NAME, root: Path | None = None) -> bool:
    """End the engine and remove its state, Terraform's included; False if there was none."""
    folder = EngineFolder(root or default_root(), name)
    if not folder.path.exists():
        return False
    with _locked(folder):
        if not folder.path.exists():  # another process was faster
            return False
        _remove(folder, _read(folder))
        folder.apply_lock.unlink(missing_ok=True)
    return True


def restart_empty(engine: Engine, say: Say = lambda _: None) -> Engine:
    """Replace the engine by an empty one on the same port; Terraform's state goes with it."""
    with _locked(engine.folder):
        _remove(engine.folder, _read(engine.folder))
        return _start(engine.folder, engine.port, say, shard_limits=engine.shard_limits)


def running(name: str = DEFAULT_NAME, root: Path | None = None) -> Engine:
    """Return the running engine of that name.

    Raises: LocalEngineError: it is not running, or has crashed.
    """
    found = status(name, root)
    if found.state == "running" and found.engine:
        return found.engine
    if found.state == "starting":
        raise LocalEngineError(f"engine {name} is still starting: try again in a moment")
    if found.missing:
        missing = " and ".join(found.missing)
        logs = EngineFolder(root or default_root(), name).logs
        raise LocalEngineError(
            f"engine {name} has crashed ({missing} gone; see {logs})"
            f"{', its data is gone' if 'ministack' in found.missing else ''}: start it again"
        )
    raise LocalEngineError(f"engine {name} is not running: start it with `make run`")


def status(name: str = DEFAULT_NAME, root: Path | None = None) -> Status:
    """Return what is known about an engine; starts and ends nothing."""
    return _status(EngineFolder(root or default_root(), name))


def _status(folder: EngineFolder) -> Status:
    engine = _read(folder)
    if engine is None:
        return Status("stopped", None)
    pids = {"ministack": engine.ministack_pid, "poller": engine.poller_pid}
    missing = tuple(n for n, pid in pids.items() if not processes.is_ours(pid, _mark(folder)))
    if missing == ("poller",) and engine.poller_pid == _NOT_STARTED:
        return Status("starting", engine, missing)
    return Status("crashed" if missing else "running", engine, missing)


def _check_port(engine: Engine, wanted: int | None, say: Say) -> None:
    if not wanted or wanted == engine.port:
        return
    if wanted == DEFAULT_PORT:  # also what callers pass who were given no port
        say(f"engine {engine.name} runs on port {engine.port}, which is used instead of {wanted}")
        return
    raise LocalEngineError(
        f"engine {engine.name} runs on port {engine.port}, not {wanted}: `make stop` first, "
        "or leave PORT out"
    )


def _start(folder: EngineFolder, port: int | None, say: Say, *, shard_limits: bool) -> Engine:
    chosen = choose_port(port)
    interpreters = ensure_venvs(folder.root.resolve(), say)
    folder.temporary.mkdir(parents=True, exist_ok=True)
    say(f"starting engine {folder.name} on port {chosen}")
    engine = Engine(
        folder,
        chosen,
        _spawn_ministack(folder, chosen, interpreters, shard_limits=shard_limits),
        _NOT_STARTED,
        datetime.now(UTC).isoformat(),
        shard_limits,
    )
    _write(engine)
    try:
        _wait_until_healthy(engine)
    except LocalEngineError:
        # The folder stays for its logs; nothing keeps running.
        processes.end(engine.ministack_pid, _mark(folder))
        folder.record.unlink()
        raise
    return _with_poller(engine)


def _spawn_ministack(
    folder: EngineFolder, port: int, interpreters: Interpreters, *, shard_limits: bool
) -> int:
    launcher = Path(__file__).with_name("launcher.py")
    command = [str(interpreters.engine), "-P", str(launcher)]
    command += ["--state", _mark(folder), "--worker-python", str(interpreters.runtime)]
    command += ["--shard-limits"] if shard_limits else []
    env = environment.engine_environment(folder, port)
    return processes.spawn(command, env, folder.logs / "ministack.log", folder.path)


def _with_poller(engine: Engine) -> Engine:
    folder = engine.folder
    command = [sys.executable, "-P", "-m", "millrace_local.mapping", "--state", _mark(folder)]
    env = environment.clean_environment(folder) | engine.environment()
    pid = processes.spawn(command, env, folder.logs / "poller.log", folder.path)
    complete = replace(engine, poller_pid=pid)
    _write(complete)
    return complete


def _wait_until_healthy(engine: Engine) -> None:
    def waiting() -> bool:
        if not processes.is_ours(engine.ministack_pid, _mark(engine.folder)):
            raise LocalEngineError(f"the engine ended while starting:\n{_tail(engine)}")
        return not _is_healthy(engine)

    try:
        Retrying(
            retry=retry_if_result(bool),
            stop=stop_after_delay(_HEALTH_DEADLINE_S),
            wait=wait_fixed(0.05),
        )(waiting)
    except RetryError as err:
        raise LocalEngineError(
            f"the engine was not healthy after {_HEALTH_DEADLINE_S} s:\n{_tail(engine)}"
        ) from err


def _is_healthy(engine: Engine) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{engine.endpoint}/_ministack/health", timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _tail(engine: Engine) -> str:
    log = engine.folder.logs / "ministack.log"
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return "\n".join([*lines[-10:], f"(all of it: {log})"])


def _mark(folder: EngineFolder) -> str:
    """What the command lines of this engine's processes hold, and no other's."""
    return f"{folder.path}{os.sep}"


def _read(folder: EngineFolder) -> Engine | None:
    try:
        record = json.loads(folder.record.read_text())
    except FileNotFoundError:
        return None
    pids = record["pids"]
    return Engine(
        folder,
        record["port"],
        pids["ministack"],
        pids["poller"],
        record["started_at"],
        record.get("shard_limits", False),
    )


def _write(engine: Engine) -> None:
    write_json(
        engine.folder.record,
        {
            "name": engine.name,
            "endpoint": engine.endpoint,
            "port": engine.port,
            "pids": {"ministack": engine.ministack_pid, "poller": engine.poller_pid},
            "started_at": engine.started_at,
            "shard_limits": engine.shard_limits,
        },
    )


def _remove(folder: EngineFolder, engine: Engine | None) -> None:
    if engine:
        for pid in (engine.poller_pid, engine.ministack_pid):
            processes.end(pid, _mark(folder))
    if not engine and not (folder.logs / "ministack.log").exists():
        raise LocalEngineError(f"{folder.path} is no engine's folder: it is left as it is")
    shutil.rmtree(folder.path)


@contextlib.contextmanager
def _locked(folder: EngineFolder) -> Iterator[None]:
    """Let one process at a time start or end an engine."""
    folder.root.mkdir(parents=True, exist_ok=True)
    with (folder.root / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
