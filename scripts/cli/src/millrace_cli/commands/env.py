"""`millrace env`."""

import os
import sys
from typing import Annotated

import typer

from millrace_cli.environment import DEFAULT_ENGINE, LOCAL, load_environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.options import AsJson, Engine, Env, OutputsFile
from millrace_cli.reporting import print_json, reported
from millrace_cli.shell import ShellVariables, of_deployment, of_engine


@reported
def env_command(
    *,
    profile: Annotated[
        str | None, typer.Option(help="With --env: the AWS profile to use from then on.")
    ] = None,
    unset: Annotated[
        bool, typer.Option("--unset", help="Print how to remove the variables again.")
    ] = False,
    as_json: AsJson = False,
    engine: Engine = DEFAULT_ENGINE,
    outputs: OutputsFile = None,
    env: Env = None,
) -> None:
    """Print the variables by which the AWS CLI, SDKs and DuckDB reach the pipeline.

    Use it as `eval "$(millrace env)"` in sh, bash or zsh. Besides AWS's own variables it sets the
    names of the stream, the bucket, the tables and the queues (MILLRACE_*), and MILLRACE_DUCKDB,
    the statement that gives DuckDB's httpfs the same access.
    """
    found = load_environment(engine, outputs, env)
    if found.endpoint is not None:
        if profile:
            raise CommandError(
                "--profile without --env", "the local engine has its own credentials",
                ExitCode.USAGE,
            )  # fmt: skip
        credentials = found.clients.credentials()
        if credentials is None:
            raise CommandError(f"engine {engine} has no credentials", "start it: `make run`")
        no_proxy = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
        variables = of_engine(found.outputs, found.endpoint, credentials, no_proxy)
    else:
        name = None if env == LOCAL else env
        endpoint = os.environ.get("AWS_ENDPOINT_URL")  # --env has checked that it is the right one
        variables = of_deployment(found.outputs, name, profile, endpoint if name else None)
    _print(variables, unset=unset, as_json=as_json)


def _print(variables: ShellVariables, *, unset: bool, as_json: bool) -> None:
    if as_json:
        print_json({"set": variables.exports, "unset": variables.unset})
    else:
        sys.stdout.write(variables.undo() if unset else variables.script())
