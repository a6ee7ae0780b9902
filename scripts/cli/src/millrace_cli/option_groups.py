"""Options that belong together, as one parameter of a command: a dataclass, an option a field.

Typer reads a command's signature and knows no groups of options, so that each command would spell
out the same ones (https://github.com/fastapi/typer/issues/154). Here a command is given the
signature that it would have then, and builds the groups of what Typer found.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from inspect import Parameter
from typing import Any


def spread(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each field of its parameters that are dataclasses.

    A field may be a dataclass itself; its default is a plain value. The options stand where the
    group stands; a name that two of them have is a ValueError when the command is declared.
    """
    declared = inspect.signature(command)
    if not any(_is_group(each.annotation) for each in declared.parameters.values()):
        return command

    @functools.wraps(command)
    def wrapper(**options: Any) -> None:  # noqa: ANN401 - as Typer calls it
        command(**{
            name: _value(each.annotation, name, options)
            for name, each in declared.parameters.items()
        })  # fmt: skip

    flat = [option for each in declared.parameters.values() for option in _options(each)]
    wrapper.__signature__ = declared.replace(parameters=flat)  # type: ignore[attr-defined]
    return wrapper


def _options(parameter: Parameter) -> Iterator[Parameter]:
    if not _is_group(parameter.annotation):
        yield parameter
        return
    for field in fields(parameter.annotation):
        default = Parameter.empty if field.default is MISSING else field.default
        yield from _options(
            Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=field.type)
        )


def _value(annotation: Any, name: str, options: Mapping[str, Any]) -> Any:  # noqa: ANN401
    if not _is_group(annotation):
        return options[name]
    return annotation(
        **{each.name: _value(each.type, each.name, options) for each in fields(annotation)}
    )


def _is_group(annotation: Any) -> bool:  # noqa: ANN401
    return isinstance(annotation, type) and is_dataclass(annotation)
