"""How a command ends: JSON on standard output, or one line on standard error and an exit code."""

import functools
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import orjson
import typer
from typer.core import TyperGroup

from millrace_cli import render
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.option_groups import spread


def reported(command: Callable[..., None]) -> Callable[..., None]:
    """Show an expected failure as one line on standard error, with its exit code.

    The command may take its options in groups (`millrace_cli.option_groups`).
    """
    run = spread(command)

    @functools.wraps(run)
    def wrapper(**options: Any) -> None:  # noqa: ANN401 - as Typer calls it
        try:
            run(**options)
        except CommandError as err:
            _fail(str(err), err.code)
        except KeyboardInterrupt:
            _fail("interrupted; run it again", ExitCode.INTERRUPTED)
        except BrokenPipeError:
            # The reader (head, less) has enough. Python would complain once more at its own exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    return wrapper


class OneLineGroup(TyperGroup):
    """A group of commands that shows wrong use as one line on standard error, not as a box."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,  # noqa: ANN401 - as Typer has it
    ) -> Any:  # noqa: ANN401 - as Typer has it
        """Run the command that the arguments name and, if standalone, exit."""

        def run() -> Any:  # noqa: ANN401
            return super(OneLineGroup, self).main(
                args, prog_name, complete_var, False, windows_expand_args, **extra
            )

        if not standalone_mode:
            return run()
        try:
            code = run()
        except typer.TyperException as err:
            _show_usage_error(err)
            code = err.exit_code
        except typer.Abort:
            _show("the input ended too early")  # an EOFError, as Typer has it
            code = ExitCode.ERROR
        sys.exit(code or 0)


def _show_usage_error(err: typer.TyperException) -> None:
    problem = err.format_message().rstrip(".").replace("Value error, ", "")  # pydantic's words
    if not problem.strip():
        return  # a group without a command: Typer has printed its help
    context = getattr(err, "ctx", None)
    command = context.command_path if context else "millrace"
    _show(f"{problem}; see `{command} --help`")


def _fail(message: str, code: ExitCode) -> None:
    _show(message)
    raise typer.Exit(int(code))


def _show(message: str) -> None:
    line = " ".join(message.split())
    render.err().print(f"error: {line}", markup=False, style="red")


def print_ndjson(rows: Iterable[object]) -> None:
    """Print rows for programs, one JSON a line, as they come."""
    for row in rows:
        sys.stdout.write(orjson.dumps(row).decode() + "\n")
    sys.stdout.flush()


def print_json(value: object) -> None:
    """Print a result for programs."""
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")
