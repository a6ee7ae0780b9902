"""AWS in memory (moto), as a pytest plugin: the fixture `aws`."""

from collections.abc import Iterator

import pytest


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An account of the test's own in us-east-1, with credentials that are none."""
    from moto import mock_aws  # noqa: PLC0415 - 0.4 s, for the tests that need it

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with mock_aws():
        yield
