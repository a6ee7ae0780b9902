"""The cases there are, found by looking into `millrace_bench.cases`."""

import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module

from millrace_bench import cases
from millrace_bench.figure import Figure


class UnknownCase(Exception):
    """A case was named that does not exist."""


@dataclass(frozen=True, slots=True)
class Case:
    """One thing that is measured."""

    name: str
    what: str
    run: Callable[[], list[Figure]]


def all_cases() -> Mapping[str, Case]:
    """Return every case by name, sorted."""
    found = {}
    for module in sorted(pkgutil.iter_modules(cases.__path__), key=lambda each: each.name):
        loaded = import_module(f"{cases.__name__}.{module.name}")
        found[module.name] = Case(module.name, loaded.WHAT, loaded.run)
    return found


def chosen(names: list[str]) -> list[Case]:
    """Return the named cases, all of them if none is named.

    Raises:
        UnknownCase: naming it, and those there are.
    """
    known = all_cases()
    for name in names:
        if name not in known:
            raise UnknownCase(f"no case {name!r}: choose from {', '.join(known)}")
    return [known[name] for name in names or known]
