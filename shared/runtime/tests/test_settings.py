"""Settings fail loudly."""

import pytest

from millrace.errors import ConfigError
from millrace.settings import FunctionSettings, load_settings

pytestmark = pytest.mark.validation


class ExampleSettings(FunctionSettings):
    """Two fields for the tests."""

    data_bucket: str
    batch_size: int = 5


def test_settings_come_from_the_environment(monkeypatch):
    """A field is the variable of its name in capitals."""
    monkeypatch.setenv("DATA_BUCKET", "bucket")
    assert load_settings(ExampleSettings).data_bucket == "bucket"


def test_what_is_missing_is_named(monkeypatch):
    """The error names every variable that is wrong."""
    monkeypatch.delenv("DATA_BUCKET", raising=False)
    monkeypatch.setenv("BATCH_SIZE", "many")
    with pytest.raises(ConfigError, match=r"DATA_BUCKET.*BATCH_SIZE"):
        load_settings(ExampleSettings)
