"""The environment: hot scopes and dry runs."""

import pytest

from aggregate.domain.hot import HotScopes
from aggregate.settings import AggregateSettings
from millrace.aggregates import Dimension, Scope
from millrace.errors import ConfigError
from millrace.settings import load_settings

EDITS = Scope.of(Dimension.TYPE, "edit")


@pytest.fixture
def environment(monkeypatch):
    for name, field in AggregateSettings.model_fields.items():
        if field.is_required():
            monkeypatch.setenv(name.upper(), "x")
    return monkeypatch


def test_nothing_is_hot_and_no_run_is_dry_by_default(environment):
    """What nobody asked for is off."""
    settings = load_settings(AggregateSettings)
    assert settings.hot_scope_rows.scopes == frozenset()
    assert settings.hot_scope_rows.shard_of(EDITS, "commit-1") is None
    assert not settings.dry_run


def test_hot_scopes_are_listed_as_the_command_takes_them(environment):
    """A JSON list; ids may be written as they are."""
    environment.setenv("HOT_SCOPES", '["TYPE#edit", "EXPERIMENT#e#1#VARIANT#A"]')
    environment.setenv("HOT_SCOPE_SHARDS", "4")
    environment.setenv("DRY_RUN", "true")
    settings = load_settings(AggregateSettings)
    experiment = Scope.of(Dimension.EXPERIMENT, "e#1", "A")
    assert settings.hot_scope_rows == HotScopes(frozenset({EDITS, experiment}), 4)
    assert settings.dry_run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HOT_SCOPES", '["edit"]'),
        ("HOT_SCOPES", "TYPE#edit"),
        ("HOT_SCOPE_SHARDS", "0"),
        ("HOT_SCOPE_SHARDS", "65"),
        ("DRY_RUN", "perhaps"),
    ],
)
def test_a_wrong_setting_is_named(environment, name, value):
    """The cold start fails and says which variable it is."""
    environment.setenv(name, value)
    with pytest.raises(ConfigError, match=f"(?i){name}"):
        load_settings(AggregateSettings)


def test_a_hot_scope_is_spread_over_all_its_shards():
    """By the hash of the reference: the same one always adds to the same shard."""
    hot = HotScopes(frozenset({EDITS}), 8)
    shards = [hot.shard_of(EDITS, f"commit-{number}") for number in range(200)]
    assert set(shards) == set(range(8))
    assert shards == [hot.shard_of(EDITS, f"commit-{number}") for number in range(200)]
    assert hot.shard_of(Scope.of(Dimension.TYPE, "view"), "commit-1") is None
