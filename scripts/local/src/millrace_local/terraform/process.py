"""A child process that an interrupt ends gently: it may save its state first."""

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping

_GRACE_S = 60.0
_LAST_GRACE_S = 2.0


@contextlib.contextmanager
def child(
    command: list[str],
    env: Mapping[str, str],
    say: Callable[[str], None],
    grace_s: float = _GRACE_S,
) -> Iterator[subprocess.Popen[str]]:
    """Run a program in a session of its own, so that a Ctrl-C reaches it once and through us.

    Its output, errors included, is to be read from `stdout`. It has ended when the block has.
    Raises: KeyboardInterrupt: after one SIGINT to the program and its end, or after `grace_s` or
        a second interrupt the end of its whole group.
    """
    with subprocess.Popen(
        command,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
            process.wait()
        except KeyboardInterrupt:
            say("interrupted: waiting for Terraform to save its state (Ctrl-C again ends it)")
            _end(process, say, grace_s)
            raise


def _end(process: subprocess.Popen[str], say: Callable[[str], None], grace_s: float) -> None:
    # A full pipe would keep the program from ever ending.
    threading.Thread(target=_drain, args=(process,), daemon=True).start()
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
        process.wait(grace_s)
        say("Terraform has stopped; the next run continues")
        return
    _end_group(process)
    say("Terraform was ended by force; if the next run fails, `make stop` first")


def _end_group(process: subprocess.Popen[str]) -> None:
    """End the program and its children, which are in its group. It is not waited for yet."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
            process.wait(_LAST_GRACE_S)


def _drain(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(ValueError, OSError):  # closed underneath: nobody reads it any more
        for _ in process.stdout or []:
            pass
