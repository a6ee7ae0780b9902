"""Enrich's settings of the archive's layout: refused at cold start, by the variable's name."""

import pytest

from enrich.settings import EnrichSettings
from millrace.archive_layout import ArchiveLayout, Compression
from millrace.errors import ConfigError
from millrace.settings import load_settings

REQUIRED = [name for name, field in EnrichSettings.model_fields.items() if field.is_required()]


@pytest.fixture(autouse=True)
def _complete(monkeypatch) -> None:
    for name in REQUIRED:
        monkeypatch.setenv(name.upper(), "x")


def test_the_layout_is_hive_and_gzip_unless_told_otherwise(monkeypatch):
    """Without a variable the default stands; each variable reaches the stamp."""
    assert load_settings(EnrichSettings).archive_layout == ArchiveLayout()
    monkeypatch.setenv("ARCHIVE_COMPRESSION", "zstd")
    monkeypatch.setenv("ARCHIVE_LEVEL", "19")
    layout = load_settings(EnrichSettings).archive_layout
    assert (layout.compression, layout.level) == (Compression.ZSTD, 19)


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("ARCHIVE_COMPRESSION", "brotli", "'gzip' or 'zstd'"),
        ("ARCHIVE_LEVEL", "10", "gzip has the levels 1 to 9"),
        ("ARCHIVE_PARTITIONS", "{year}/{month}/{day}", "lacks {hour}"),
        ("ARCHIVE_MAX_EVENTS", "0", "greater than or equal to 1"),
    ],
)
def test_a_layout_that_cannot_be_obeyed_fails_the_cold_start(monkeypatch, name, value, remedy):
    """The error names the variable and what it may be."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=f"{name}: .*") as caught:
        load_settings(EnrichSettings)
    assert remedy in str(caught.value)
