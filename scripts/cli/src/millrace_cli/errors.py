"""What can go wrong in a command, as one line for people and one exit code for scripts."""

from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    ERROR = 1
    USAGE = 2
    UNACCOUNTED = 3
    INTERRUPTED = 130
    """128 + SIGINT, as shells report it."""


class CommandError(Exception):
    """An expected failure: what is wrong, and what to do about it. Shown without a traceback.

    `remedy` is empty where the problem, worded elsewhere, says what to do already.
    """

    def __init__(self, problem: str, remedy: str = "", code: ExitCode = ExitCode.ERROR) -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy
        self.code = code
