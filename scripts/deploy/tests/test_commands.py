"""The commands: what is refused changes nothing, and what was done is remembered."""

import json

import pytest

from millrace_cli.deployment import Deployment
from millrace_cli.errors import CommandError
from millrace_deploy.__main__ import main
from millrace_deploy.aws import find_account
from millrace_deploy.commands import Commands
from millrace_deploy.environments import find_environment
from millrace_deploy.errors import DeployError
from millrace_deploy.stack import find_stack

TABLE = "module.pipeline.aws_dynamodb_table.this"


def going(*, protected: bool) -> dict:
    before = {"deletion_protection_enabled": protected}
    change = {"actions": ["delete"], "before": before}
    return {
        "resource_changes": [{"address": TABLE, "type": "aws_dynamodb_table", "change": change}]
    }


def test_without_its_state_bucket_nothing_is_deployed(workspace, envs, s3, terraform, calls):
    """The command that makes the bucket is named, and Terraform not even started."""
    stack = find_stack(find_environment(envs, "dev"), "", find_account)
    commands = Commands(stack, workspace, lambda _text: None, lambda _question: "")
    with pytest.raises(DeployError, match="run `make bootstrap ENV=dev` first"):
        commands.plan()
    assert calls() == []


def test_the_state_of_a_stack_is_its_own(commands, tmp_path):
    """Bucket, key and region of the state are told; locking is the environment's own."""
    commands("dev", prefix="millrace-two").plan()
    init = (tmp_path / "calls").read_text().splitlines()[0]
    assert "-backend-config=bucket=millrace-state-dev-123456789012-us-east-1" in init
    assert "-backend-config=key=millrace-two/terraform.tfstate" in init


def test_the_zips_are_named_alike_on_every_machine(commands, tmp_path):
    """Their path is part of the state, so it is relative, and that of Lambda's zips."""
    commands("dev").plan()
    plan = (tmp_path / "calls").read_text().splitlines()[1]
    assert "-var=artifacts_dir=../../../dist/lambda-x86_64" in plan
    assert "local_engine" not in plan


def test_a_deploy_that_loses_data_is_refused(commands, terraform, calls):
    """A stream or table that would be replaced stops it after the plan."""
    terraform(plan=going(protected=False))
    with pytest.raises(DeployError, match=rf"holds data: {TABLE}.*ALLOW_LOSS=1"):
        commands("dev").deploy(allow_loss=False, smoke_s=1)
    assert calls() == ["init", "plan", "show"]


def test_a_protected_stack_is_not_half_destroyed(commands, terraform, calls):
    """What AWS would refuse in the middle is refused at the beginning, whatever was typed."""
    terraform(plan=going(protected=True))
    with pytest.raises(DeployError, match=rf"prod is protected: {TABLE}; nothing was removed"):
        commands("prod").destroy("millrace-prod")
    assert "apply" not in calls()


@pytest.mark.parametrize("typed", ["", "yes", "millrace-dev"])
def test_prod_is_destroyed_only_by_its_name(commands, terraform, calls, typed):
    """Anything but the name prefix is no."""
    terraform(plan=going(protected=False))
    with pytest.raises(DeployError, match="millrace-prod was not confirmed; nothing was removed"):
        commands("prod", typed).destroy("")
    assert "apply" not in calls()


@pytest.mark.parametrize(
    ("env", "confirmation"),
    [("prod", ("millrace-prod", "")), ("prod", ("", "millrace-prod")), ("dev", ("", ""))],
)
def test_what_is_destroyed_is_forgotten(commands, terraform, calls, env, confirmation):
    """Typed, typed ahead, or dev: the saved plan is applied, and nothing is known afterwards."""
    terraform(plan=going(protected=False))
    typed, ahead = confirmation
    chosen = commands(env, typed)
    chosen.destroy(ahead)
    assert calls() == ["init", "plan", "show", "apply"]
    with pytest.raises(CommandError, match="nothing is known"):
        Deployment(env, chosen.workspace.state).state()


def test_outputs_are_kept_with_the_state_they_are_of(commands, terraform, s3):
    """What `millrace --env` reads: the pipeline's outputs, and the state's version."""
    terraform(outputs={"pipeline": {"value": {"stream_arn": "arn"}}})
    chosen = commands("dev")
    put = s3.put_object(Bucket=chosen.stack.state_bucket, Key=chosen.stack.state_key, Body=b"{}")
    chosen.outputs()
    kept = Deployment("dev", chosen.workspace.state)
    assert json.loads(kept.outputs.read_text()) == {"stream_arn": "arn"}
    assert kept.state().etag == put["ETag"]


def test_outputs_of_nothing_are_an_error(commands):
    """A stack that was never deployed has none."""
    with pytest.raises(DeployError, match="nothing is deployed of dev; run `make deploy ENV=dev`"):
        commands("dev").outputs()


def test_a_failing_terraform_shows_its_words(commands, monkeypatch, capsys):
    """Also those of `init`, which is quiet otherwise."""
    monkeypatch.setenv("FAULT", "init")
    with pytest.raises(DeployError, match="terraform init failed"):
        commands("dev").plan()
    assert "Error: no such thing" in capsys.readouterr().out


def test_the_bootstraps_state_ends_in_its_bucket(commands, s3, monkeypatch):
    """The file that it began as is gone, and the next bootstrap takes it from the bucket."""
    chosen = commands("dev")
    s3.put_object(Bucket=chosen.stack.state_bucket, Key="bootstrap/terraform.tfstate", Body=b"{}")
    chosen.bootstrap()
    assert not list(chosen.workspace.state.rglob("*.tfstate"))
    kept = s3.get_object(Bucket=chosen.stack.state_bucket, Key="bootstrap/terraform.tfstate")
    assert kept["Body"].read() == b"{}"


def test_a_bucket_of_somebody_elses_is_left_alone(commands, calls):
    """A bucket of the name without a bootstrap's state in it is not taken over."""
    with pytest.raises(DeployError, match=r"and no bootstrap/terraform\.tfstate in it"):
        commands("dev").bootstrap()
    assert calls() == []


def test_an_error_is_one_line_and_a_code(monkeypatch, capsys):
    """`error: what; remedy` on standard error, exit code 1."""
    monkeypatch.setenv("ENV", "")
    assert main(["plan"]) == 1
    assert capsys.readouterr().err.startswith("error: no environment is named; give one: ENV=")
