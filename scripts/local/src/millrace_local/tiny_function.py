"""A function of one file for tests of the engine: its role has only the rights that it is given."""

import io
import json
import zipfile
from dataclasses import dataclass
from typing import Any

from millrace_local.engine import Engine

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "lambda.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}


@dataclass(frozen=True)
class TinyFunction:
    """A function and a role under one name, which must be free."""

    engine: Engine
    name: str

    def deploy(
        self,
        source: str,
        statements: list[dict[str, Any]] | None = None,
        timeout_s: int = 10,
        variables: dict[str, str] | None = None,
    ) -> str:
        """Create the function from `index.py` and return its ARN.

        statements: of the role's policy; none for a role without any right.
        """
        created = self.engine.client("lambda").create_function(
            FunctionName=self.name,
            Runtime="python3.13",
            Handler="index.handler",
            Role=self._create_role(statements or []),
            Code={"ZipFile": _zip(source)},
            Timeout=timeout_s,
            Environment={"Variables": variables or {}},
        )
        arn: str = created["FunctionArn"]
        return arn

    def invoke(self, event: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return the function's answer, an error's document included."""
        payload = json.dumps(event).encode()
        response = self.engine.client("lambda").invoke(FunctionName=self.name, Payload=payload)
        return json.loads(response["Payload"].read())

    def log(self) -> list[str]:
        """Return the lines that were logged, in order, START and END among them."""
        group = f"/aws/lambda/{self.name}"
        events = self.engine.client("logs").filter_log_events(logGroupName=group)["events"]
        return [event["message"] for event in events]

    def _create_role(self, statements: list[dict[str, Any]]) -> str:
        iam = self.engine.client("iam")
        created = iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=json.dumps(_TRUST))
        if statements:
            policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
            iam.put_role_policy(RoleName=self.name, PolicyName="only", PolicyDocument=policy)
        arn: str = created["Role"]["Arn"]
        return arn


def _zip(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("index.py", source)
    return content.getvalue()
