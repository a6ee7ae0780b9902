"""One apply at a time for each engine."""

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from millrace_local.project import EngineFolder


@contextlib.contextmanager
def deploying(folder: EngineFolder, say: Callable[[str], None]) -> Iterator[bool]:
    """Hold the engine's lock; yield whether another run had it first and was waited for.

    say: hears about the wait before it begins.
    """
    folder.root.mkdir(parents=True, exist_ok=True)
    waited = False
    while True:
        with folder.apply_lock.open("w") as lock:
            if not _try(lock):
                if not waited:
                    say(f"another run is deploying to engine {folder.name}, waiting")
                waited = True
                fcntl.flock(lock, fcntl.LOCK_EX)
            if _is_current(lock, folder.apply_lock):
                try:
                    yield waited
                finally:
                    if not folder.path.exists():  # ended in the meantime: so does its lock
                        folder.apply_lock.unlink(missing_ok=True)
                return


def _try(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_current(lock: IO[str], path: Path) -> bool:
    """Say whether the file was not removed with its engine in the meantime."""
    with contextlib.suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    return False
