"""The deployed definitions are read from the bucket, once."""

import pytest

from millrace.errors import ConfigError, ObjectMissing
from millrace_testing.fakes import FakeObjects
from millrace_testing.metrics import metric
from replay_api.adapters import DeployedMetrics

TOML = metric("n")


def test_they_are_read_once():
    """Their bytes are kept with them: a replay stores what it computes by."""
    objects = FakeObjects()
    metrics = DeployedMetrics(objects, "config/metrics")
    with pytest.raises(ObjectMissing):
        metrics()
    objects.put_new("config/metrics", TOML)
    first = metrics()
    assert first.body == TOML
    assert metrics() is first


def test_invalid_ones_are_the_deployments_fault():
    """It names the object."""
    objects = FakeObjects()
    objects.put_new("config/metrics", b"[[metric]]")
    with pytest.raises(ConfigError, match="metrics"):
        DeployedMetrics(objects, "config/metrics")()
