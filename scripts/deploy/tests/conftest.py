"""A checkout with two environments, an account in memory, and a Terraform that notes its calls."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from millrace_build import Workspace
from millrace_deploy.aws import find_account
from millrace_deploy.commands import Commands
from millrace_deploy.environments import find_environment
from millrace_deploy.stack import find_stack

ACCOUNT = "123456789012"

# Stands for Terraform: notes its calls, answers `show` and `output` with what the test put there.
_FAKE = """#!/bin/sh
if [ "$1" = version ]; then echo '{"terraform_version": "1.11.4"}'; exit 0; fi
shift
echo "$@" >> "$CALLS"
if [ "$1" = "$FAULT" ]; then echo "Error: no such thing"; exit 1; fi
case "$1" in
  plan) for each in "$@"; do case "$each" in -out=*) touch "${each#-out=}";; esac; done;;
  show) cat "$ANSWERS/plan.json";;
  output) cat "$ANSWERS/outputs.json";;
esac
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    for name, settings in (
        ("dev", {"name_prefix": "millrace-dev", "region": "us-east-1", "local_engine": False}),
        ("prod", {"name_prefix": "millrace-prod", "region": "us-east-1", "account_id": ACCOUNT}),
    ):
        folder = tmp_path / "terraform/envs" / name
        folder.mkdir(parents=True)
        (folder / "terraform.tfvars.json").write_text(json.dumps(settings))
    (tmp_path / "terraform/envs/local").mkdir()
    (tmp_path / "terraform/bootstrap").mkdir()
    return Workspace(tmp_path)


@pytest.fixture
def envs(workspace: Workspace) -> Path:
    return workspace.root / "terraform/envs"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("s3", region_name="us-east-1")


@pytest.fixture
def terraform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says what Terraform answers: `plan=`, `outputs=`."""
    program = tmp_path / "terraform.sh"
    program.write_text(_FAKE)
    program.chmod(0o755)
    monkeypatch.setenv("TERRAFORM", str(program))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("ANSWERS", str(tmp_path))

    def answer(
        *, plan: dict[str, Any] | None = None, outputs: dict[str, Any] | None = None
    ) -> None:
        (tmp_path / "plan.json").write_text(json.dumps(plan or {}))
        (tmp_path / "outputs.json").write_text(json.dumps(outputs or {}))

    answer()
    return answer


@pytest.fixture
def calls(tmp_path: Path) -> Callable[[], list[str]]:
    """Return a function that tells the commands that Terraform was given, in order."""

    def read() -> list[str]:
        noted = tmp_path / "calls"
        return (
            [line.split()[0] for line in noted.read_text().splitlines()] if noted.exists() else []
        )

    return read


@pytest.fixture
def commands(workspace: Workspace, s3: Any, terraform: Any) -> Callable[..., Commands]:
    """Return a function that makes the commands of an environment; its state bucket is there."""

    def make(env: str, typed: str = "", prefix: str = "") -> Commands:
        stack = find_stack(
            find_environment(workspace.root / "terraform/envs", env), prefix, find_account
        )
        s3.create_bucket(Bucket=stack.state_bucket)
        return Commands(stack, workspace, lambda _text: None, lambda _question: typed)

    return make
