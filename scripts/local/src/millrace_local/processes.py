"""Background processes that outlive their caller, and the proof that a pid is still ours."""

import atexit
import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

_GRACE_S = 10
# Popen objects of this process's children: polled so that none stays behind as a zombie.
_children: dict[int, subprocess.Popen[bytes]] = {}


@atexit.register
def _disown() -> None:
    """Leave running what is meant to outlive us; Python warns of every child it could wait for."""
    for child in _children.values():
        if child.poll() is None:
            child.returncode = 0


def spawn(command: list[str], env: Mapping[str, str], log: Path, folder: Path) -> int:
    """Start a process in a session of its own and return its pid; its output goes to `log`."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        child = subprocess.Popen(
            command,
            env=dict(env),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[child.pid] = child
    return child.pid


def is_ours(pid: int, mark: str) -> bool:
    """Say whether `pid` runs and has `mark` on its command line (a pid may have been reused)."""
    if child := _children.get(pid):
        # The system knows it as ours; its command line is empty for a moment after the start.
        return child.poll() is None
    return mark in _command_line(pid)


def end(pid: int, mark: str) -> None:
    """End our process and all of its children: SIGTERM, and SIGKILL after a grace period."""
    if not is_ours(pid, mark):
        return
    os.kill(pid, signal.SIGTERM)
    wait = Retrying(
        retry=retry_if_result(bool),
        stop=stop_after_delay(_GRACE_S),
        wait=wait_fixed(0.05),
        retry_error_callback=lambda _: None,
    )
    wait(is_ours, pid, mark)
    # Its session, of which it was the leader: functions that are still running.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)
    if child := _children.pop(pid, None):
        child.wait()


def _command_line(pid: int) -> str:
    proc = Path("/proc") / str(pid) / "cmdline"
    if Path("/proc/self/cmdline").exists():
        with contextlib.suppress(OSError):
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    ps = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return ps.stdout
