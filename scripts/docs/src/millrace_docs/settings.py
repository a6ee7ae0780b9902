"""What the services read from their environment, as their settings models say it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from millrace.settings import FunctionSettings
from millrace_build import Workspace
from millrace_docs.errors import DocsError

_SIGNS = {Ge: "≥", Gt: ">", Le: "≤", Lt: "<"}


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable of a function."""

    name: str
    type: str
    default: str | None
    """As it would stand in the environment; None of a variable that must be set."""
    bounds: str
    description: str


def read_settings(workspace: Workspace) -> dict[str, tuple[Setting, ...]]:
    """Return the settings of each service, in the order of their models.

    Raises: DocsError: a service has no settings model, or one too many.
    """
    return {
        service: settings_of(settings_model(import_module(f"{service}.settings")))
        for service in workspace.services()
    }


def settings_of(model: type[FunctionSettings]) -> tuple[Setting, ...]:
    """Return a model's settings, those that every function has last."""
    common = FunctionSettings.model_fields
    own = {name: each for name, each in model.model_fields.items() if name not in common}
    shared = {name: model.model_fields[name] for name in common}
    return tuple(_setting(name, each) for name, each in (own | shared).items())


def settings_model(module: ModuleType) -> type[FunctionSettings]:
    """Return the one settings model that a module defines.

    Raises: DocsError: there is none, or more than one.
    """
    found = [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, FunctionSettings)
        and each.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise DocsError(f"{module.__name__} has {len(found)} settings models: it needs one")
    return found[0]


def _setting(name: str, field: FieldInfo) -> Setting:
    return Setting(
        name=name.upper(),
        type=_type(field.annotation),
        default=None
        if field.is_required()
        else _in_environment(field.get_default(call_default_factory=True)),
        bounds=", ".join(_bounds(field)),
        description=" ".join((field.description or "").split()),
    )


def _in_environment(value: object) -> str:
    """Return a default as Terraform would write it: texts as they are, all else as JSON."""
    return str(value) if isinstance(value, str) else json.dumps(value)


def _type(annotation: Any) -> str:  # noqa: ANN401 - any type there is
    if get_origin(annotation) is Literal:
        return " | ".join(map(str, get_args(annotation)))
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return " | ".join(str(each.value) for each in annotation)
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _bounds(field: FieldInfo) -> Iterator[str]:
    for each in field.metadata:
        if sign := _SIGNS.get(type(each)):
            (bound,) = (getattr(each, name) for name in each.__slots__)
            yield f"{sign} {bound}"
