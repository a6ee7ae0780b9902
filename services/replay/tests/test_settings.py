"""Replay's settings: refused at cold start, by the variable's name."""

import pytest

from millrace.errors import ConfigError
from millrace.settings import load_settings
from replay.settings import ReplaySettings

REQUIRED = [name for name, field in ReplaySettings.model_fields.items() if field.is_required()]


@pytest.fixture(autouse=True)
def _complete(monkeypatch) -> None:
    for name in REQUIRED:
        monkeypatch.setenv(name.upper(), "x")


def test_the_bounds_stand_unless_told_otherwise(monkeypatch):
    """Without a variable the default stands; each variable reaches its field."""
    plain = load_settings(ReplaySettings)
    assert (plain.replay_live_lag_s, plain.replay_backlog, plain.replay_look_again_s) == (
        60, 20_000, 15,
    )  # fmt: skip
    monkeypatch.setenv("REPLAY_LIVE_LAG_S", "5")
    monkeypatch.setenv("REPLAY_BACKLOG", "10")
    assert load_settings(ReplaySettings).replay_live_lag_s == 5
    assert load_settings(ReplaySettings).replay_backlog == 10


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_variable_is_named(monkeypatch, name):
    """Each one that has no default."""
    monkeypatch.delenv(name.upper())
    with pytest.raises(ConfigError, match=name.upper()):
        load_settings(ReplaySettings)


@pytest.mark.validation
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REPLAY_LIVE_LAG_S", "0"),
        ("REPLAY_BACKLOG", "9"),
        ("REPLAY_LOOK_AGAIN_S", "901"),  # SQS delays a message by at most 15 minutes
        ("REPLAY_LOOK_AGAIN_S", "0"),
        ("REPLAY_BACKLOG", "many"),
    ],
)
def test_a_bound_that_cannot_be_kept_fails_the_cold_start(monkeypatch, name, value):
    """The error names the variable."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name):
        load_settings(ReplaySettings)
