"""Clients of one endpoint: as Lambda itself, and as a function's role.

Lambda reads the stream and writes to the destination with the execution role's rights:
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
"""

from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config
from botocore.credentials import RefreshableCredentials
from botocore.session import get_session

LONGEST_FUNCTION_S = 900
ROLE_SESSION = "event-source-mapping"
_SESSION_S = 3600


@dataclass(slots=True)
class Sessions:
    """Makes clients; `endpoint` None is AWS itself."""

    endpoint: str | None = None
    _roles: dict[str, Any] = field(default_factory=dict)

    def own(self, service: str) -> Any:  # noqa: ANN401 - boto3's are dynamic
        """Return a client with the process's own credentials."""
        return self._client(boto3.session.Session(), service)

    def as_role(self, role_arn: str, service: str) -> Any:  # noqa: ANN401
        """Return a client with the role's rights; its credentials renew themselves."""
        if role_arn not in self._roles:
            self._roles[role_arn] = self._role_session(role_arn)
        return self._client(self._roles[role_arn], service)

    def _role_session(self, role_arn: str) -> Any:  # noqa: ANN401
        sts = self.own("sts")

        def assume() -> dict[str, str]:
            answer = sts.assume_role(
                RoleArn=role_arn, RoleSessionName=ROLE_SESSION, DurationSeconds=_SESSION_S
            )["Credentials"]
            return {
                "access_key": answer["AccessKeyId"],
                "secret_key": answer["SecretAccessKey"],
                "token": answer["SessionToken"],
                "expiry_time": answer["Expiration"].isoformat(),
            }

        credentials = RefreshableCredentials.create_from_metadata(
            metadata=assume(), refresh_using=assume, method="sts-assume-role"
        )
        session: Any = get_session()
        session._credentials = credentials  # noqa: SLF001 - botocore's way to inject a provider
        return boto3.session.Session(botocore_session=session)

    def _client(self, session: Any, service: str) -> Any:  # noqa: ANN401
        # No retries: the core's are the only ones, and an invocation must not be repeated.
        config = Config(
            retries={"total_max_attempts": 1},
            read_timeout=LONGEST_FUNCTION_S + 30,
            connect_timeout=5,
            max_pool_connections=64,
            s3={"addressing_style": "path"},
        )
        return session.client(service, endpoint_url=self.endpoint, config=config)
