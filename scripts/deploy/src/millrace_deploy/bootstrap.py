"""The bucket of an environment's states, made by Terraform before there is a place for a state.

Its own state begins as a file here and lies in the bucket from then on. A bootstrap that was broken
off goes on with the file; one on another machine takes it from the bucket.
"""

from pathlib import Path

from millrace_deploy import aws
from millrace_deploy.errors import DeployError
from millrace_deploy.stack import Stack
from millrace_deploy.terraform import Terraform

_STATE_KEY = "bootstrap/terraform.tfstate"


def bootstrap(stack: Stack, root: Path, folder: Path) -> None:
    """Make the state bucket, or bring the one that is there to what `root` says.

    root: terraform/bootstrap. folder: for working files, the environment's.

    Raises:
        DeployError: Terraform failed, or there is such a bucket whose state is not known.
    """
    state = folder / "terraform.tfstate"
    if not state.is_file() and aws.bucket_exists(stack.state_bucket, stack.region):
        _fetch(stack, state)
    terraform = Terraform(root, folder, _variables(stack), {"path": str(state)})
    terraform.init()
    terraform.plan()
    terraform.apply()
    aws.upload(state, stack.state_bucket, _STATE_KEY, stack.region)
    terraform.forget()


def _fetch(stack: Stack, state: Path) -> None:
    if not aws.download(stack.state_bucket, _STATE_KEY, stack.region, state):
        raise DeployError(
            f"there is a bucket {stack.state_bucket}, and no {_STATE_KEY} in it",
            "a bootstrap was broken off elsewhere: go on there, or delete the bucket if empty",
        )


def check_bootstrapped(stack: Stack) -> None:
    """Check that there is a bucket for the state.

    Raises:
        DeployError: there is none; the message names the command that makes it.
    """
    if not aws.bucket_exists(stack.state_bucket, stack.region):
        raise DeployError(
            f"there is no bucket {stack.state_bucket} for Terraform's state",
            f"run `make bootstrap ENV={stack.environment.name}` first",
        )


def _variables(stack: Stack) -> dict[str, str]:
    local = {"local_engine": "true"} if stack.on_local_engine else {}
    return {
        "bucket": stack.state_bucket,
        "environment": stack.environment.name,
        "region": stack.region,
        "account_id": stack.account_id,
        "kms_key_arn": stack.environment.settings.kms_key_arn,
        **local,
    }
