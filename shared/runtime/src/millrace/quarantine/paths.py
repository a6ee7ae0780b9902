r"""Places inside a document: `payload.user.id`; a dot that belongs to a name is written `\.`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from millrace.quarantine.document import Document

_SEPARATOR = re.compile(r"(?<!\\)\.")
_ABSENT = object()


class StepFailed(ValueError):
    """A step of a rule does not fit a record; the message says why."""


@dataclass(frozen=True, slots=True)
class FieldPath:
    """Names from the outermost object inwards. Lists are not entered."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "FieldPath":
        """Return the path that `text` writes.

        Raises:
            ValueError: a name in it is empty.
        """
        names = tuple(part.replace("\\.", ".") for part in _SEPARATOR.split(text))
        if not all(names):
            raise ValueError(f"the path {text!r} has an empty name; write a.b, or a\\.b for a dot")
        return cls(names)

    def __str__(self) -> str:
        """The form that `parse` reads."""
        return ".".join(name.replace(".", "\\.") for name in self.names)

    def within(self, document: Document) -> bool:
        """Tell whether something is there."""
        return self._found(document) is not _ABSENT

    def value(self, document: Document) -> Any:  # noqa: ANN401 - a JSON value
        """Return what is there; None if nothing is (or null is)."""
        found = self._found(document)
        return None if found is _ABSENT else found

    def put(self, document: Document, value: object) -> None:
        """Put a value there, in objects made where none are.

        Raises:
            StepFailed: something on the way is no object.
        """
        parent = document
        for depth, name in enumerate(self.names[:-1], start=1):
            parent = parent.setdefault(name, {})
            if not isinstance(parent, dict):
                there = FieldPath(self.names[:depth])
                raise StepFailed(f"{self} cannot be written: {there} is no object")
        parent[self.names[-1]] = value

    def remove(self, document: Document) -> None:
        """Take away what is there, and objects around it that are empty then."""
        parents = [document]
        for name in self.names[:-1]:
            parents.append(parents[-1][name])
        for parent, name in zip(reversed(parents), reversed(self.names), strict=True):
            del parent[name]
            if parent:
                return

    def _found(self, document: Document) -> object:
        value: object = document
        for name in self.names:
            value = value.get(name, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        return value
