"""Replaces an attribute of ministack, or says clearly that it is no longer there."""

from importlib import import_module
from typing import Any


class MissingAttribute(Exception):
    """What a shim wants to replace is not where the pinned version of ministack has it."""


def attribute(module: str, name: str) -> Any:  # noqa: ANN401 - untyped third party
    """Return `module.name`, the module being named below `ministack`."""
    try:
        target: Any = import_module(f"ministack.{module}")
        for part in name.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError) as err:
        raise MissingAttribute(
            f"ministack.{module}.{name} is gone: this version of ministack needs its shim "
            "in millrace_local.shims revised"
        ) from err
    return target


def replace(module: str, name: str, value: object) -> None:
    """Set `module.name`, which must exist. Raises: MissingAttribute."""
    attribute(module, name)
    *path, last = name.split(".")
    target: Any = import_module(f"ministack.{module}")
    for part in path:
        target = getattr(target, part)
    setattr(target, last, value)
