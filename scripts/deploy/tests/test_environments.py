"""Which environments there are, and that wrong settings are named."""

import pytest

from millrace_deploy.environments import environment_names, find_environment
from millrace_deploy.errors import DeployError


def test_an_environment_is_a_folder_with_settings(envs):
    """`local`, which `make run` applies, is none that is deployed."""
    assert environment_names(envs) == ("dev", "prod")
    assert find_environment(envs, "prod").settings.name_prefix == "millrace-prod"


@pytest.mark.parametrize(
    ("name", "problem"), [("", "no environment"), ("qa", "no environment 'qa'")]
)
def test_a_missing_or_unknown_name_lists_the_known_ones(envs, name, problem):
    """The message holds what may be given."""
    with pytest.raises(DeployError, match=rf"{problem}.*; give one.*dev, prod"):
        find_environment(envs, name)


@pytest.mark.parametrize(
    ("text", "problem"), [("{", "is not JSON"), ('{"region": "us-east-1"}', "name_prefix: Field")]
)
def test_wrong_settings_are_named(envs, text, problem):
    """The file and the field that are wrong are in the message."""
    (envs / "dev/terraform.tfvars.json").write_text(text)
    with pytest.raises(DeployError, match=rf"dev/terraform.tfvars.json.*{problem}"):
        find_environment(envs, "dev")
