"""Starts ministack with its shims; runs in the engine's venv (ministack and the standard library).

Usage: python -P launcher.py --state FOLDER --worker-python PATH [--shard-limits], with the
environment of `millrace_local.environment.engine_environment`.
"""

import argparse
import os
import sys
from importlib import import_module, metadata
from pathlib import Path

PINNED_MINISTACK = "1.5.33"


def main(arguments: list[str] | None = None) -> None:
    """Check the version, install the shims and serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--state", type=Path, required=True, help="the engine's folder")
    parser.add_argument("--worker-python", type=Path, required=True, help="runs the functions")
    parser.add_argument("--shard-limits", action="store_true", help="throttle as AWS does")
    options = parser.parse_args(arguments)
    engine_variables = frozenset(os.environ)
    _check_version()
    # Only this package's own modules come from here; the engine's venv is searched first.
    sys.path.append(str(Path(__file__).resolve().parents[1]))
    shims = import_module("millrace_local.shims")
    shims.install_all(
        options.worker_python,
        engine_variables,
        options.state / "mapping.json",
        shard_limits=options.shard_limits,
    )
    sys.argv = sys.argv[:1]  # ministack parses it
    import_module("ministack.app").main()


def _check_version() -> None:
    found = metadata.version("ministack")
    if found != PINNED_MINISTACK:
        sys.exit(
            f"ministack {found} is installed, the launcher's shims are for {PINNED_MINISTACK}: "
            "rebuild the engine's venv from requirements/engine.txt"
        )


if __name__ == "__main__":
    main()
