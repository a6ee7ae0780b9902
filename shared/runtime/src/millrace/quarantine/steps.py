"""The steps of a rule: each changes a document in one place, or says why it cannot.

A step whose place is absent changes nothing: one rule may serve records that are wrong in different
ways. A step that meets a value it cannot use fails, and the record is not sent.
"""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Protocol

from millrace.quarantine.casts import Cast
from millrace.quarantine.document import Document
from millrace.quarantine.paths import FieldPath, StepFailed


class Step(Protocol):
    """One change."""

    def apply(self, document: Document) -> None:
        """Change the document.

        Raises:
            StepFailed: it does not fit this document.
        """
        ...

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it."""
        ...


@dataclass(frozen=True, slots=True)
class SetField:
    """Put a value, whatever is there."""

    path: FieldPath
    value: Any

    def apply(self, document: Document) -> None:
        """Put it."""
        self.path.put(document, deepcopy(self.value))

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it."""
        return {"set": str(self.path), "value": self.value}


@dataclass(frozen=True, slots=True)
class DefaultField:
    """Put a value where there is none, or null."""

    path: FieldPath
    value: Any

    def apply(self, document: Document) -> None:
        """Put it if it is needed."""
        if self.path.value(document) is None:
            self.path.put(document, deepcopy(self.value))

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it."""
        return {"default": str(self.path), "value": self.value}


@dataclass(frozen=True, slots=True)
class RenameField:
    """Move a value to another place, never over another value."""

    source: FieldPath
    target: FieldPath

    def apply(self, document: Document) -> None:
        """Move it if it is there."""
        if not self.source.within(document):
            return
        value = self.source.value(document)
        self.source.remove(document)
        if self.target.within(document):
            raise StepFailed(f"{self.target} is there already; drop it before {self.source}")
        self.target.put(document, value)

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it."""
        return {"rename": str(self.source), "to": str(self.target)}


@dataclass(frozen=True, slots=True)
class CastField:
    """Read a value as another type."""

    path: FieldPath
    cast: Cast

    def apply(self, document: Document) -> None:
        """Cast it if it is there."""
        if not self.path.within(document):
            return
        try:
            self.path.put(document, self.cast.apply(self.path.value(document)))
        except StepFailed as err:
            raise StepFailed(f"{self.path}: {err}") from err

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it, what is default left out."""
        fields = {"cast": str(self.path), "as": self.cast.to.value}
        if self.cast.to.value == "timestamp":
            fields["format"] = self.cast.form
        return fields | ({"zone": self.cast.zone} if self.cast.zone else {})


@dataclass(frozen=True, slots=True)
class DropField:
    """Take a value away."""

    path: FieldPath

    def apply(self, document: Document) -> None:
        """Take it away if it is there."""
        if self.path.within(document):
            self.path.remove(document)

    def to_fields(self) -> Mapping[str, Any]:
        """Return the step as a rule's file writes it."""
        return {"drop": str(self.path)}
