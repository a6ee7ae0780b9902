"""Models of payloads, one module for each family of events: docs/extending.md shows adding one.

Every module of this package is imported, and what it registers validates the payload of its
(event_type, schema_version). Types without a model pass unchecked.
"""

from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import TypeVar

from pydantic import BaseModel

M = TypeVar("M", bound=type[BaseModel])
_models: dict[tuple[str, int], type[BaseModel]] = {}


def payload_model(event_type: str, schema_version: int = 1) -> Callable[[M], M]:
    """Register the decorated model for one version of one event type.

    Raises:
        ValueError: another model has that place already.
    """

    def register(model: M) -> M:
        there = _models.setdefault((event_type, schema_version), model)
        if there is not model:
            raise ValueError(
                f"{event_type} version {schema_version} has the model {there.__qualname__} already"
            )
        return model

    return register


def model_for(event_type: str, schema_version: int) -> type[BaseModel] | None:
    """Return the model of one version of one event type, if there is one."""
    return _models.get((event_type, schema_version))


for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
