"""`--env`: the outputs of a deployment are used only while they are those of its state."""

from datetime import UTC, datetime
from pathlib import Path

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from millrace_cli.deployment import Deployment, StateRecord, current_outputs
from millrace_cli.environment import load_environment
from millrace_cli.errors import CommandError, ExitCode

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
KEY = "millrace-dev/terraform.tfstate"


@pytest.fixture
def s3(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="state")
        client.put_object(Bucket="state", Key=KEY, Body=b"{}")
        yield client


def state_of(etag: str, endpoint: str | None = None) -> StateRecord:
    return StateRecord(
        bucket="state", key=KEY, region="us-east-1", etag=etag, endpoint=endpoint, read_at=AT
    )


def written(root: Path, etag: str, endpoint: str | None = None) -> Deployment:
    deployment = Deployment("dev", root)
    deployment.write({"region": "us-east-1"}, state_of(etag, endpoint))
    return deployment


def current(deployment: Deployment, s3, environ=None) -> Path:
    return current_outputs(deployment, lambda _region: s3, environ or {})


def etag(s3) -> str:
    return s3.head_object(Bucket="state", Key=KEY)["ETag"]


def test_the_outputs_of_the_present_state_are_used(tmp_path, s3):
    """As long as the state has not been written again, the file is the answer."""
    deployment = written(tmp_path, etag(s3))
    assert current(deployment, s3) == tmp_path / "deployed/dev/outputs.json"


def test_outputs_of_an_older_state_are_refused(tmp_path, s3):
    """Another machine's deploy is noticed, and the command that reads the outputs again named."""
    deployment = written(tmp_path, etag(s3))
    s3.put_object(Bucket="state", Key=KEY, Body=b'{"serial": 2}')
    with pytest.raises(CommandError, match=r"deployed again .*2026-01-02.*`make outputs ENV=dev`"):
        current(deployment, s3)


def test_a_state_that_is_gone_is_said_to_be(tmp_path, s3):
    """A removed deployment is no out-of-date one."""
    deployment = written(tmp_path, etag(s3))
    s3.delete_object(Bucket="state", Key=KEY)
    with pytest.raises(CommandError, match="there is no state s3://state/millrace-dev"):
        current(deployment, s3)


def test_a_state_that_may_not_be_seen_is_warned_of(tmp_path, s3):
    """Who may use the pipeline need not have access to its state: then nobody vouches for age."""
    deployment, warnings = written(tmp_path, "etag"), []
    with Stubber(s3) as stub:
        stub.add_client_error("head_object", "403", http_status_code=403)
        found = current_outputs(deployment, lambda _region: s3, {}, warnings.append)
    assert found == deployment.outputs
    assert "2026-01-02T03:04:05" in warnings[0]


@pytest.mark.parametrize(
    ("deployed_at", "environ", "remedy"),
    [
        ("http://127.0.0.1:4566", {}, "set it to http://127.0.0.1:4566"),
        (None, {"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "unset AWS_ENDPOINT_URL"),
    ],
)
def test_another_place_is_never_asked(tmp_path, s3, deployed_at, environ, remedy):
    """What is deployed on a local engine is not looked for on AWS, nor the other way round."""
    deployment = written(tmp_path, etag(s3), deployed_at)
    with pytest.raises(CommandError, match=remedy):
        current(deployment, s3, environ)


def test_an_unknown_environment_names_both_ways_to_know_it(tmp_path):
    """Without a deploy from here the message says how to read the outputs of one from elsewhere."""
    deployment = Deployment("dev/millrace-two", tmp_path)
    with pytest.raises(CommandError, match="`make outputs ENV=dev PREFIX=millrace-two`") as caught:
        current_outputs(deployment)
    assert "`make deploy ENV=dev PREFIX=millrace-two`" in str(caught.value)


@pytest.mark.parametrize("name", ["", "Dev", "dev/", "../dev", "dev/a/b"])
def test_a_name_cannot_leave_its_folder(tmp_path, name):
    """A name is an environment, or one and a prefix; nothing that could be another path."""
    with pytest.raises(CommandError, match="cannot name an environment") as caught:
        Deployment(name, tmp_path)
    assert caught.value.code is ExitCode.USAGE


def test_what_is_forgotten_is_unknown(tmp_path, s3):
    """After a destroy nothing is left to be mistaken for a deployment."""
    deployment = written(tmp_path, etag(s3))
    deployment.forget()
    with pytest.raises(CommandError, match="nothing is known here"):
        current(deployment, s3)


def test_two_ways_to_name_a_deployment_are_one_too_many():
    """`--env` and `--outputs` together are refused, not ranked."""
    with pytest.raises(CommandError, match="both --env and --outputs"):
        load_environment("local", Path("outputs.json"), "dev")


def test_the_local_environment_is_the_engine():
    """`--env local` (as in MILLRACE_ENV) means the local engine, whatever its name."""
    with pytest.raises(CommandError, match="engine surely-not-there is not running"):
        load_environment("surely-not-there", env="local")
