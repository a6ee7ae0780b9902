"""How the commands that the cockpit prints reach the deployment that was asked about."""

import shlex

from millrace.investigate.cockpit.commands import Commands
from millrace_cli.environment import DEFAULT_ENGINE, LOCAL, Environment


def commands_for(
    environment: Environment, engine: str, env: str | None, outputs_file: str | None
) -> Commands:
    """Return the writer of commands for the deployment that these options name."""
    outputs = environment.outputs
    local = environment.endpoint is not None
    return Commands(
        outputs.functions,
        outputs.name_prefix,
        tuple(_where(engine, env, outputs_file)),
        _local_deploy(engine) if local else _deploy(env),
        with_reason=not local,
    )


def _where(engine: str, env: str | None, outputs_file: str | None) -> list[str]:
    if env not in {None, LOCAL}:
        return ["--env", str(env)]
    if outputs_file is not None:
        return ["--outputs", outputs_file]
    return [] if engine == DEFAULT_ENGINE else ["--engine", engine]


def _local_deploy(engine: str) -> str:
    named = [] if engine == DEFAULT_ENGINE else ["--name", engine]
    return shlex.join([".venv/bin/python", "-m", "millrace_local", "repair", *named])


def _deploy(env: str | None) -> str:
    name, _, prefix = (env or "").partition("/")
    if not name or name == LOCAL:
        return "terraform apply"
    return shlex.join(["make", "deploy", f"ENV={name}", *([f"PREFIX={prefix}"] * bool(prefix))])
