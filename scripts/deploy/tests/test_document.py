"""docs/deploy.md: what it shows can be done as shown."""

import json
import re
import shutil
import subprocess

import pytest

from millrace_build import Workspace
from millrace_deploy.environments import find_environment

ROOT = Workspace.here().root


@pytest.fixture
def staging_commands() -> list[str]:
    """The block that makes `staging`, but for its last line, which deploys it."""
    document = (ROOT / "docs/deploy.md").read_text()
    (block,) = re.findall(r"```sh\n(cp -r terraform/envs/prod .*?)```", document, re.DOTALL)
    commands: list[str] = block.splitlines()
    assert commands[-1] == "make bootstrap ENV=staging && make deploy ENV=staging"
    return commands[:-1]


def test_staging_is_made_as_documented(staging_commands, tmp_path):
    """The commands make an environment of its own name, with nothing left of prod's."""
    left_out = shutil.ignore_patterns(".terraform*")
    shutil.copytree(ROOT / "terraform/envs", tmp_path / "terraform/envs", ignore=left_out)
    for command in staging_commands:
        subprocess.run(["bash", "-c", command], cwd=tmp_path, check=True)
    found = find_environment(tmp_path / "terraform/envs", "staging")
    assert found.settings.name_prefix == "millrace-staging"
    main = (found.root / "main.tf").read_text()
    assert 'environment = "staging"' in main
    assert 'environment = "prod"' not in main
    assert not list(found.root.glob("*.bak"))


@pytest.mark.parametrize("target", ["bootstrap", "plan", "deploy", "outputs", "destroy"])
def test_make_calls_the_command_of_the_same_name(target):
    """`make TARGET` is `python -m millrace_deploy TARGET`, its variables in the environment."""
    command = ["make", "--dry-run", "--assume-old", "setup", target, "ENV=dev"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert f"python -m millrace_deploy {target}" in shown


def test_the_deployers_rights_fit_a_managed_policy():
    """Once an account is put in; IAM counts 6,144 characters, white space apart.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    policy = (ROOT / "docs/deployer-policy.json").read_text()
    json.loads(policy)
    assert len("".join(policy.replace("ACCOUNT_ID", "123456789012").split())) <= 6144
