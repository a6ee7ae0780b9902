"""How a command ends: JSON on standard output, or one line on standard error and an exit code."""

import functools
import os
import sys
from collections.abc import Callable, Iterable
from typing import ParamSpec

import orjson
import typer

from millrace_cli import render
from millrace_cli.errors import CommandError, ExitCode

P = ParamSpec("P")


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Show an expected failure as one line on standard error, with its exit code."""

    @functools.wraps(command)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except CommandError as err:
            _fail(str(err), err.code)
        except KeyboardInterrupt:
            _fail("interrupted; run it again", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # The reader (head, less) has enough. Python would complain once more at its own exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return wrapper


def _fail(message: str, code: ExitCode) -> None:
    line = " ".join(message.split())
    render.err().print(f"error: {line}", markup=False, style="red")
    raise typer.Exit(int(code))


def print_ndjson(rows: Iterable[object]) -> None:
    """Print rows for programs, one JSON a line, as they come."""
    for row in rows:
        sys.stdout.write(orjson.dumps(row).decode() + "\n")
    sys.stdout.flush()


def print_json(value: object) -> None:
    """Print a result for programs."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
