"""The audit table and the fake keep the same promises."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws

from millrace.aws.audit import DynamoAudit
from millrace_testing.contracts.audit import AuditContract
from millrace_testing.fakes import FakeAudit
from millrace_testing.tables import AUDIT, create_table


class TestFakeAudit(AuditContract):
    """The fake."""

    @pytest.fixture
    def log(self) -> FakeAudit:
        return FakeAudit()


class TestDynamoAudit(AuditContract):
    """The adapter, on moto."""

    @pytest.fixture
    def log(self, monkeypatch) -> Iterator[DynamoAudit]:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        with mock_aws():
            client = boto3.client("dynamodb")
            create_table(client, "audit", AUDIT)
            yield DynamoAudit(client, "audit")
