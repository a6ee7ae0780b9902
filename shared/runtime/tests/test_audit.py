"""The audit table and the fake keep the same promises."""

import boto3
import pytest

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
    def log(self, aws) -> DynamoAudit:
        client = boto3.client("dynamodb")
        create_table(client, "audit", AUDIT)
        return DynamoAudit(client, "audit")
