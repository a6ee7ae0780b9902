"""The script of `millrace env`, evaluated by a real shell."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from millrace_cli.environment import Outputs, Tables
from millrace_cli.shell import ShellVariables, of_deployment, of_engine

OUTPUTS = Outputs(
    region="eu-central-1",
    name_prefix="millrace-dev",
    stream_arn="arn:aws:kinesis:eu-central-1:000000000000:stream/millrace-dev-events",
    stream_incarnation="0a1b2c3d",
    data_bucket="millrace-dev-data",
    tables=Tables(
        commits="c",
        gate="g",
        event_index="i",
        aggregates="a",
        manifests="m",
        assignments="x",
        experiments="y",
    ),
    queue_urls={"enrich": "https://sqs/enrich"},
    dlq_urls={},
)
ENDPOINT = "http://127.0.0.1:4566"


def local(no_proxy: str = "") -> ShellVariables:
    return of_engine(OUTPUTS, ENDPOINT, Credentials("test", "test"), no_proxy)


def evaluated(script: str, before: dict[str, str] | None = None, then: str = "") -> dict[str, str]:
    """Return the environment of a program that bash starts after evaluating the script."""
    shown = "python3 -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    done = subprocess.run(
        ["bash", "-eu", "-c", f'eval "$1"\n{then}\n{shown}', "bash", script],
        env={"PATH": "/usr/bin:/bin", **(before or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def test_evaluating_it_sets_what_tools_read() -> None:
    """Endpoint, region, credentials and the names of the resources reach a child process."""
    env = evaluated(local().script())
    assert env["AWS_ENDPOINT_URL"] == env["AWS_ENDPOINT_URL_SQS"] == ENDPOINT
    assert (env["AWS_REGION"], env["AWS_DEFAULT_REGION"]) == ("eu-central-1", "eu-central-1")
    assert (env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"]) == ("test", "test")
    assert env["MILLRACE_STREAM"] == "millrace-dev-events"
    assert env["MILLRACE_DATA_BUCKET"] == "millrace-dev-data"
    assert (env["MILLRACE_TABLE_COMMITS"], env["MILLRACE_QUEUE_ENRICH"]) == (
        "c",
        "https://sqs/enrich",
    )
    assert "ENDPOINT '127.0.0.1:4566', URL_STYLE 'path', USE_SSL false" in env["MILLRACE_DUCKDB"]


def test_what_would_mislead_is_removed_and_proxies_passed_by() -> None:
    """A profile, a token or one service's endpoint of the caller do not lead elsewhere."""
    before = {
        "AWS_PROFILE": "work",
        "AWS_SESSION_TOKEN": "t",
        "AWS_ENDPOINT_URL_S3": "https://elsewhere",
        "NO_PROXY": "internal.example,127.0.0.1",
    }
    env = evaluated(local(before["NO_PROXY"]).script(), before)
    assert not {"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3"} & set(env)
    assert env["NO_PROXY"] == env["no_proxy"] == "127.0.0.1,internal.example"


def test_undo_removes_all_that_was_set() -> None:
    """After --unset nothing of it is left."""
    variables = local()
    left = evaluated(variables.script(), then=variables.undo())
    assert not set(left) & set(variables.exports)


def test_an_odd_value_cannot_run_a_command() -> None:
    """Values are quoted: a bucket's name is never code."""
    outputs = OUTPUTS.model_copy(update={"data_bucket": "a'; touch pwned; echo '$(id) \n b"})
    env = evaluated(of_engine(outputs, ENDPOINT, Credentials("k", "s")).script())
    assert env["MILLRACE_DATA_BUCKET"] == outputs.data_bucket


@pytest.mark.parametrize("profile", [None, "work"])
def test_a_deployment_has_its_region_and_profile_and_no_local_endpoint(profile: str | None) -> None:
    """The engine's address of an earlier evaluation goes; credentials stay the caller's."""
    script = of_deployment(OUTPUTS, "dev", profile, None).script()
    env = evaluated(script, {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": "mine"})
    assert "AWS_ENDPOINT_URL" not in env
    assert (env["MILLRACE_ENV"], env.get("AWS_PROFILE")) == ("dev", profile)
    assert env["AWS_ACCESS_KEY_ID"] == "mine"
    assert "PROVIDER credential_chain" in env["MILLRACE_DUCKDB"]
    assert ("PROFILE 'work'" in env["MILLRACE_DUCKDB"]) is (profile == "work")


def test_a_deployment_at_an_endpoint_keeps_it() -> None:
    """What was deployed to an engine by make deploy is reached there."""
    assert of_deployment(OUTPUTS, "dev", None, ENDPOINT).exports["AWS_ENDPOINT_URL"] == ENDPOINT


def test_the_script_is_plain_sh(tmp_path: Path) -> None:
    """Sh reads it too; every line is a comment, an export or an unset."""
    script = local().script()
    assert subprocess.run(["sh", "-n", "-c", script], check=False).returncode == 0
    words = {shlex.split(line)[0] for line in script.splitlines() if not line.startswith("#")}
    assert words == {"export", "unset"}
