"""Lambda workers: which interpreter they run, what they inherit, when their log is complete."""

import queue
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from millrace_local.shims.patching import MissingAttribute, attribute, replace

# What a worker may inherit; all else that started the engine is the engine's business.
_INHERITED = frozenset({"PATH", "HOME", "TMPDIR", "LANG", "TZ"})

_END_OF_LOG = "\x1eend of log"
_CALL = "            result = handler_fn(event, context)\n"
_MARKED_CALL = (
    "            try:\n"
    "                result = handler_fn(event, context)\n"
    "            finally:\n"
    f"                print({_END_OF_LOG!r}, file=sys.__stderr__, flush=True)\n"
)
_LOG_DEADLINE_S = 0.25  # ministack's own hard cap


def use_bare_interpreter(worker_python: Path) -> None:
    """Run functions with `worker_python`.

    ministack runs them with `sys.executable`, so they would see the engine's own site-packages,
    and a dependency missing from a zip would not be missed.
    """
    if attribute("core.lambda_runtime", "sys") is not sys:
        raise MissingAttribute("ministack.core.lambda_runtime no longer uses sys.executable")
    sys.executable = str(worker_python)


def hide_engine_variables(engine_variables: frozenset[str]) -> None:
    """Keep the engine's settings from its workers, which inherit all of them.

    `AUTH` or `STATE_DIR` mean nothing to a function, and what it reads from the environment it
    must get from its own configuration.
    """
    hidden = engine_variables - _INHERITED
    clean = ModuleType("subprocess")
    clean.__dict__.update(vars(attribute("core.lambda_runtime", "subprocess")))

    def popen(command: Any, *, env: Mapping[str, str], **options: Any) -> subprocess.Popen[str]:  # noqa: ANN401
        return subprocess.Popen(command, env=worker_environment(env, hidden), **options)

    clean.__dict__["Popen"] = popen
    replace("core.lambda_runtime", "subprocess", clean)


def worker_environment(env: Mapping[str, str], hidden: frozenset[str]) -> dict[str, str]:
    """Return `env` without the hidden names, but with the AWS ones, which ministack has set."""
    return {k: v for k, v in env.items() if k not in hidden or k.startswith("AWS_")}


def mark_end_of_log() -> None:
    """Let the worker say when its log is complete.

    ministack waits 50 ms for a first line that a quiet handler never prints, and 5 ms after each
    last one. With a mark it waits for what is on its way, and no longer.
    """
    script = attribute("core.lambda_runtime", "_PYTHON_WORKER_SCRIPT")
    if script.count(_CALL) != 1:
        raise MissingAttribute("ministack's worker script no longer calls the handler as expected")
    replace("core.lambda_runtime", "_PYTHON_WORKER_SCRIPT", script.replace(_CALL, _MARKED_CALL))
    replace("core.lambda_runtime", "Worker._drain_stderr_bounded", drain_log)


def drain_log(worker: Any) -> str:  # noqa: ANN401 - a ministack Worker
    """Return the log of the invocation that just ended, waiting for its end mark."""
    lines: list[str] = []
    deadline = time.monotonic() + _LOG_DEADLINE_S
    while (left := deadline - time.monotonic()) > 0:
        try:
            line = worker._stderr_queue.get(timeout=left)  # noqa: SLF001 - ministack's
        except queue.Empty:
            break
        if line == _END_OF_LOG:
            break
        lines.append(line)
    return "\n".join(lines)
