"""Fixtures of the local engine's tests."""

import uuid

import pytest

from millrace_local.engine import Engine
from millrace_local.tiny_function import TinyFunction

_PLUGIN = "millrace_local.testing"


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin if the project's settings have not."""
    if not config.pluginmanager.has_plugin(_PLUGIN):
        config.pluginmanager.import_plugin(_PLUGIN)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def tiny(engine: Engine, name: str) -> TinyFunction:
    """A function of the test's name, not yet deployed."""
    return TinyFunction(engine, name)
