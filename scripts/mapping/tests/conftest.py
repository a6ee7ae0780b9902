"""Fixtures of the mapping's tests."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws
from streams import InMemory, OnMoto

from millrace_mapping.simulation import stream as memory


@pytest.fixture(params=["memory", "kinesis"])
def stream(request: pytest.FixtureRequest) -> Iterator[Any]:
    """One open shard without records."""
    if request.param == "memory":
        yield InMemory(memory.MemoryStream(1, retention_s=86_400))
        return
    with mock_aws():
        client = boto3.client(
            "kinesis",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
        client.create_stream(StreamName="s", ShardCount=1)
        summary = client.describe_stream_summary(StreamName="s")["StreamDescriptionSummary"]
        yield OnMoto(client, summary["StreamARN"])
