"""Requests that are refused, and problem details (RFC 9457): the same for every HTTP API."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, ValidationError

from millrace.errors import MillraceError

TYPE_PREFIX = "urn:millrace:problem:"


@dataclass(frozen=True, slots=True)
class FieldFault:
    """What is wrong with one field of body, query or path, and what to write instead."""

    field: str
    detail: str


class Refusal(MillraceError):
    """The request as a whole is refused: nothing was started or changed.

    kind: one of the API's own kinds; its value names the problem's type.
    """

    def __init__(self, kind: StrEnum, detail: str, faults: tuple[FieldFault, ...] = ()) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind
        self.detail = detail
        self.faults = faults


def refused_field(kind: StrEnum, field: str, detail: str) -> Refusal:
    """Return the refusal of a request for one field."""
    return Refusal(kind, f"{field}: {detail}", (FieldFault(field, detail),))


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class FieldError(_Answer):
    """What is wrong with one field of the body, the query or the path."""

    field: str
    detail: str


class Problem(_Answer):
    """Problem details (RFC 9457)."""

    type: str
    """Names the kind of problem; stable."""
    title: str
    status: int
    detail: str
    instance: str
    """Names this request; quote it when you ask."""
    errors: tuple[FieldError, ...] = ()


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems of one API."""

    path: str
    """Where it is: `/replay`. Begins every instance."""
    refusals: Mapping[StrEnum, tuple[int, str]]
    """Status and title of each kind of refusal."""
    look_at: str
    """What to look at before a request is sent again: `GET /replays`."""

    def of_refusal(self, refusal: Refusal, request_id: str) -> Problem:
        """Return the problem of a request that changed nothing."""
        status, title = self.refusals[refusal.kind]
        return Problem(
            type=f"{TYPE_PREFIX}{refusal.kind}",
            title=title,
            status=status,
            detail=refusal.detail,
            instance=self._instance(request_id),
            errors=tuple(
                FieldError(field=each.field, detail=each.detail) for each in refusal.faults
            ),
        )

    def of_unavailability(self, request_id: str) -> Problem:
        """Return the problem of something passing: the same request may succeed later."""
        return Problem(
            type=f"{TYPE_PREFIX}unavailable",
            title="Something that this needs is busy or away",
            status=503,
            detail=f"look at {self.look_at}, then send the request again; "
            "the operators' log says why",
            instance=self._instance(request_id),
        )

    def of_fault(self, request_id: str) -> Problem:
        """Return the problem of a deployment that lacks a right or a resource: ours, not theirs."""
        return Problem(
            type=f"{TYPE_PREFIX}misconfigured",
            title="The deployment is faulty",
            status=500,
            detail="the request could not be carried out; the operators' log says why",
            instance=self._instance(request_id),
        )

    def _instance(self, request_id: str) -> str:
        return f"{self.path}#{quote(request_id, safe='')}"


def faults_of(err: ValidationError, known: str) -> tuple[FieldFault, ...]:
    """Return what is wrong field by field; nothing if the body is no JSON object at all.

    known: what to tell a client who sent a field that is not known.
    """
    found = err.errors(include_url=False, include_input=False)
    if any(not fault["loc"] for fault in found):
        return ()
    return tuple(FieldFault(str(fault["loc"][0]), _detail(fault, known)) for fault in found)


def _detail(fault: Any, known: str) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    if fault["type"] == "missing":
        return "is missing; it is required"
    if fault["type"] == "extra_forbidden":
        return f"is not known; {known}"
    if fault["type"] == "string_pattern_mismatch" and fault["ctx"]["pattern"] == r"\S":
        return "is blank; say why"
    return str(fault["msg"])
