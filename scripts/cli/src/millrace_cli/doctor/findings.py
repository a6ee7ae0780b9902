"""What a check is, and what it finds."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

from millrace_cli.doctor.machine import Machine


class State(StrEnum):
    """How one thing is."""

    OK = "ok"
    NOTE = "note"
    """Not needed now, or made when it is needed."""
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found, and what to do if it is not as it should be."""

    state: State
    detail: str
    remedy: str = ""


def ok(detail: str) -> Finding:
    """Return that all is well."""
    return Finding(State.OK, detail)


def note(detail: str, remedy: str = "") -> Finding:
    """Return something worth knowing that stops nothing."""
    return Finding(State.NOTE, detail, remedy)


def missing(detail: str, remedy: str) -> Finding:
    """Return something that is needed and not there."""
    return Finding(State.MISSING, detail, remedy)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing to look at."""

    name: str
    look: Callable[[Machine], Finding]


@dataclass(frozen=True, slots=True)
class Result:
    """A check's name and finding."""

    name: str
    finding: Finding

    def as_dict(self) -> dict[str, str]:
        """Return the fields for JSON."""
        return {"check": self.name, **asdict(self.finding)}


def examine(checks: tuple[Check, ...], machine: Machine) -> list[Result]:
    """Return what every check finds, in order; none of them changes anything."""
    return [Result(check.name, check.look(machine)) for check in checks]
