"""One stack: its names, and what keeps it out of the wrong place."""

import pytest

from millrace_deploy.environments import find_environment
from millrace_deploy.errors import DeployError
from millrace_deploy.stack import find_stack

ACCOUNT = "123456789012"
ENGINE = {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}


def found(envs, env="dev", prefix="", account=ACCOUNT, environ=None):
    return find_stack(find_environment(envs, env), prefix, lambda _region: account, environ or {})


def test_the_usual_stack_has_the_environments_name(envs):
    """Nothing need be said but the environment."""
    stack = found(envs)
    assert (stack.name, stack.name_prefix, stack.on_local_engine) == ("dev", "millrace-dev", False)
    assert stack.state_bucket == "millrace-state-dev-123456789012-us-east-1"
    assert stack.state_key == "millrace-dev/terraform.tfstate"
    assert stack.make("deploy") == "make deploy ENV=dev"


def test_a_further_stack_shares_the_bucket_and_nothing_else(envs):
    """Two prefixes are two states."""
    usual, further = found(envs), found(envs, prefix="millrace-two")
    assert usual.state_bucket == further.state_bucket
    assert usual.state_key != further.state_key
    assert further.name == "dev/millrace-two"
    assert further.make("outputs") == "make outputs ENV=dev PREFIX=millrace-two"


@pytest.mark.parametrize("prefix", ["Two", "a", "2nd", "two-", "a" * 41])
def test_a_prefix_that_cannot_begin_names_is_refused(envs, prefix):
    """Before Terraform, or AWS, would say so of each resource."""
    with pytest.raises(DeployError, match="cannot be a name prefix"):
        found(envs, prefix=prefix)


def test_another_accounts_credentials_are_refused(envs):
    """An environment that names its account is never deployed into another."""
    with pytest.raises(DeployError, match=r"account 999999999999, and prod belongs into 1234"):
        found(envs, "prod", account="999999999999")


def test_the_local_engine_takes_what_can_do_without_tls(envs):
    """Dev is deployed to the engine, prod never."""
    assert found(envs, environ=ENGINE).on_local_engine
    with pytest.raises(DeployError, match="prod demands TLS"):
        found(envs, "prod", environ=ENGINE)


def test_an_endpoint_with_tls_is_no_local_engine(envs):
    """A forgotten AWS_ENDPOINT_URL does not become a deployment somewhere."""
    with pytest.raises(DeployError, match="is not the local engine; unset AWS_ENDPOINT_URL"):
        found(envs, environ={"AWS_ENDPOINT_URL": "https://kinesis.us-east-1.amazonaws.com"})
