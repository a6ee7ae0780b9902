"""Deploying: from an empty account to two stacks and back, with the documented rights alone."""

import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from account import ROOT, Account

from millrace_build import Workspace
from millrace_cli.deployment import Deployment
from millrace_cli.environment import load_environment
from millrace_deploy.aws import find_account
from millrace_deploy.commands import Commands
from millrace_deploy.environments import find_environment
from millrace_deploy.errors import DeployError
from millrace_deploy.smoke import run_smoke
from millrace_deploy.stack import find_stack
from millrace_deploy.terraform import Terraform
from millrace_local.terraform.allowlist import is_allowed, read_allowlist
from millrace_local.terraform.drift import changes_of
from millrace_local.testing import temporary_engine

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

ONE, TWO = "millrace-test-one", "millrace-test-two"
STATE_BUCKET = "millrace-state-dev-000000000000-us-east-1"
KEY = "arn:aws:kms:us-east-1:000000000000:key/k"
VPC = {"subnet_ids": ["subnet-1", "subnet-2"], "security_group_ids": ["sg-1"]}


@pytest.fixture
def account(monkeypatch) -> Iterator[Account]:
    with temporary_engine("account") as engine:
        made = Account.of(engine)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


def commands_of(prefix: str) -> Commands:
    workspace = Workspace(ROOT)
    stack = find_stack(find_environment(ROOT / "terraform/envs", "dev"), prefix, find_account)
    return Commands(stack, workspace, print, lambda _question: "")


def drift(prefix: str) -> list[str]:
    """Return what a second plan would change, but for what the engine is known not to keep."""
    allowlist = read_allowlist()
    changes = changes_of(commands_of(prefix).plan())
    return [str(change) for change in changes if not is_allowed(change, allowlist)]


def received(account: Account, prefix: str) -> int:
    status = json.loads(account.millrace("status", "--env", f"dev/{prefix}", "--json"))
    assert status["unaccounted"] == []
    count: int = status["counts"]["received"]
    return count


def removal_of(bucket: str) -> str:
    """Return the documented way to remove the state bucket, as Python."""
    document = (ROOT / "docs/deploy.md").read_text()
    (code,) = re.findall(r"python -c '([^']+object_versions[^']+)'", document)
    return code.replace("STATE_BUCKET", bucket)


def stop_reading(account: Account, prefix: str) -> None:
    """Disable what feeds ingest, as an operator might and forget it."""
    uuid = json.loads(Deployment(f"dev/{prefix}").outputs.read_text())["kinesis_mapping_uuid"]
    account.engine.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=False)


def test_two_stacks_from_nothing_to_nothing(account):
    """Bootstrap, deploy with its smoke test, second plan, destroy: side by side, nothing left.

    All of it with the rights of docs/deployer-policy.json, which the engine enforces.
    """
    both = ThreadPoolExecutor().map
    account.deploy("bootstrap")
    bootstrapped = {f"bucket {STATE_BUCKET}", f"tagged arn:aws:s3:::{STATE_BUCKET}"}
    assert account.contents() == bootstrapped

    for output in both(lambda prefix: account.deploy("deploy", prefix), (ONE, TWO)):
        assert "all are accounted for" in output
    # Each has its own ten events and none of the other's.
    assert list(both(lambda prefix: received(account, prefix), (ONE, TWO))) == [10, 10]
    assert drift(ONE) == []
    stop_reading(account, TWO)
    with pytest.raises(DeployError, match="10 sent, not yet seen by ingest"):
        run_smoke(load_environment("", env=f"dev/{TWO}"), deadline_s=3)

    list(both(lambda prefix: account.deploy("destroy", prefix), (ONE, TWO)))
    assert account.contents() == bootstrapped
    account.python(removal_of(STATE_BUCKET))
    assert account.contents() == set()


def planned(root: Path, folder: Path) -> list[dict[str, Any]]:
    """Return the planned resources of a root that calls the pipeline."""
    terraform = Terraform(root, folder, {}, {})
    terraform.init()
    return list(_resources(terraform.plan()["planned_values"]["root_module"]))


def _resources(module: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


@pytest.fixture
def at_engine(engine, monkeypatch) -> None:
    """Let Terraform ask the engine: the plan of a stream asks for a limit of the account."""
    for name, value in engine.environment().items():
        monkeypatch.setenv(name, value)


def denials(resource: dict[str, Any]) -> set[str]:
    """Return the names of what a bucket's or a queue's policy denies."""
    statements = json.loads(resource["values"]["policy"])["Statement"]
    return {each["Sid"] for each in statements if each["Effect"] == "Deny"}


def test_prod_is_protected(at_engine, artifacts_dir, tmp_path):
    """Its own main.tf, planned: tables stay and can be restored, buckets keep what they hold."""
    prod = ROOT / "terraform/envs/prod"
    modules = os.path.relpath(ROOT / "terraform/modules", tmp_path)
    main = (prod / "main.tf").read_text()
    main = re.sub(r'^ *backend "s3".*\n', "", main, flags=re.MULTILINE)
    main = main.replace("../../modules", modules)
    main = main.replace("../../metrics", str(ROOT / "terraform/metrics"))
    (tmp_path / "main.tf").write_text(main)
    (tmp_path / "variables.tf").write_text((prod / "variables.tf").read_text())
    given = {"account_id": "000000000000", "artifacts_dir": str(artifacts_dir)}
    settings = json.loads((prod / "terraform.tfvars.json").read_text()) | given
    (tmp_path / "terraform.tfvars.json").write_text(json.dumps(settings))
    resources = planned(tmp_path, tmp_path / "work")

    def of(kind: str) -> list[dict[str, Any]]:
        found = [each["values"] for each in resources if each["type"] == kind]
        assert found, kind
        return found

    assert {table["deletion_protection_enabled"] for table in of("aws_dynamodb_table")} == {True}
    assert {t["point_in_time_recovery"][0]["enabled"] for t in of("aws_dynamodb_table")} == {True}
    assert {bucket["force_destroy"] for bucket in of("aws_s3_bucket")} == {False}
    policies = [each for each in resources if each["type"] == "aws_s3_bucket_policy"]
    assert len(policies) == len(of("aws_s3_bucket"))
    queues = [each for each in resources if each["type"] == "aws_sqs_queue"]
    for resource in policies + queues:
        assert "DenyInsecureTransport" in denials(resource), resource["address"]
    assert any({"DenyOverwrite", "DenyDeletion"} <= denials(each) for each in policies)


# What stores something, and the attribute that says with which key.
_STORES = {
    "aws_athena_workgroup": (  # what its queries found
        "configuration.result_configuration.encryption_configuration.kms_key_arn"
    ),
    "aws_cloudwatch_log_group": "kms_key_id",
    "aws_dynamodb_table": "server_side_encryption.kms_key_arn",
    "aws_kinesis_stream": "kms_key_id",
    "aws_lambda_function": "kms_key_arn",  # its settings
    "aws_s3_bucket_server_side_encryption_configuration": (
        "rule.apply_server_side_encryption_by_default.kms_master_key_id"
    ),
    "aws_sns_topic": "kms_master_key_id",
    "aws_sqs_queue": "kms_master_key_id",
}
# What does not, or, as objects do, with its bucket's key.
_STORES_NOTHING = re.compile(
    r"aws_(apigatewayv2_.*|cloudwatch_(dashboard|event_.*|metric_alarm)|glue_catalog_.*|iam_.*"
    r"|lambda_(event_source_mapping|permission)"
    r"|s3_bucket|s3_bucket_(lifecycle_configuration|notification|ownership_controls|policy|"
    r"public_access_block|versioning)|s3_object|sns_topic_subscription|sqs_queue_redrive_policy)"
    r"|terraform_data"
)


def value_at(resource: dict[str, Any], path: str) -> object:
    """Return a planned value; blocks are lists of one."""
    found: Any = resource["values"]
    for name in path.split("."):
        found = (found[0] if isinstance(found, list) else found)[name]
    return found


def test_a_key_and_a_vpc_reach_everything_they_should(at_engine, artifacts_dir, tmp_path):
    """With kms_key_arn whatever stores data uses it, and with vpc_config all functions are inside.

    A type of resource that is in neither list fails this: say which it belongs to.
    """
    settings = {
        "source": os.path.relpath(ROOT / "terraform/modules/pipeline", tmp_path),
        "name_prefix": "millrace-test-key",
        "region": "us-east-1",
        "account_id": "000000000000",
        "artifacts_dir": str(artifacts_dir),
        "metrics_file": str(ROOT / "terraform/metrics/default.toml"),
        "kms_key_arn": KEY,
        "vpc_config": VPC,
    }
    provider = {"aws": {"region": "us-east-1", "s3_use_path_style": True}}
    configuration = {"provider": provider, "module": {"pipeline": settings}}
    (tmp_path / "main.tf.json").write_text(json.dumps(configuration))
    resources = planned(tmp_path, tmp_path / "work")

    kinds = {resource["type"] for resource in resources}
    assert [
        kind for kind in kinds if kind not in _STORES and not _STORES_NOTHING.fullmatch(kind)
    ] == []
    assert _STORES.keys() <= kinds
    keys = {
        resource["address"]: value_at(resource, _STORES[resource["type"]])
        for resource in resources
        if resource["type"] in _STORES
    }
    assert {address: key for address, key in keys.items() if key != KEY} == {}
    functions = [each for each in resources if each["type"] == "aws_lambda_function"]
    for function in functions:
        (inside,) = function["values"]["vpc_config"]
        assert {name: sorted(inside[name]) for name in VPC} == VPC
    roles = [each for each in resources if each["type"] == "aws_iam_role_policy"]
    assert len(roles) == len(functions)
    for role in roles:
        statements = {
            each["Sid"]: each for each in json.loads(role["values"]["policy"])["Statement"]
        }
        for use in ("UseKey", "UseKeyThroughDynamoDb"):
            assert statements[use]["Resource"] == KEY
        assert "ec2:CreateNetworkInterface" in statements["AttachToVpc"]["Action"]
