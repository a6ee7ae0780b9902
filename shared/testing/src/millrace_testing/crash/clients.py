"""boto3 clients of an engine, as one process has them: routed through that process's wire."""

from typing import Any

import boto3
from botocore.config import Config

from millrace_testing.crash.wire import Wire


def clients_on(endpoint: str, *services: str, wire: Wire | None = None) -> list[Any]:
    """Return one client for each of `services`, with the retries that functions have."""
    retries: Any = {"mode": "standard", "max_attempts": 3}
    config = Config(retries=retries, s3={"addressing_style": "path"})
    made: list[Any] = [
        boto3.client(
            service,  # type: ignore[call-overload]  # the stubs want a literal
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106 - no secret
            config=config,
        )
        for service in services
    ]
    if wire is not None:
        for client in made:
            wire.attach(client)
    return made
