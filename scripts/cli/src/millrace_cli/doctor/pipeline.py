"""Checks of the pipeline: the local engine's parts, and a deployment on AWS."""

from botocore.exceptions import BotoCoreError, ClientError

from millrace_cli.aws import as_command_error
from millrace_cli.doctor.findings import Check, Finding, missing, note, ok
from millrace_cli.doctor.machine import Machine
from millrace_cli.errors import CommandError
from millrace_local.errors import LocalEngineError
from millrace_local.ports import DEFAULT_PORT


def look_at_venvs(machine: Machine) -> Finding:
    """The engine's own environments are installed, or will be."""
    lacking = machine.missing_venvs()
    if lacking:
        return note(
            f"not installed yet: {', '.join(lacking)}",
            "the next `make run` installs them (88 MB on disk)",
        )
    return ok("installed")


def look_at_zips(machine: Machine) -> Finding:
    """The functions' zips are those of the sources."""
    old = machine.stale_zips()
    if old:
        return note(f"to be built: {', '.join(old)}", "`make build`; `make run` does it too")
    return ok("up to date")


def engine_checks(engine: str) -> tuple[Check, ...]:
    """Return the checks of the local engine of that name."""
    return (
        Check("engine's environments", look_at_venvs),
        Check("zips", look_at_zips),
        Check("engine", lambda machine: look_at_engine(machine, engine)),
        Check("port", lambda machine: look_at_port(machine, engine)),
    )


def look_at_engine(machine: Machine, name: str) -> Finding:
    """The local engine runs, or can be started."""
    try:
        found = machine.engine(name)
    except LocalEngineError as err:
        return missing(str(err), "give another --engine")
    if found.state == "running" and found.engine:
        return ok(f"{name} runs at {found.engine.endpoint}")
    if found.state == "crashed":
        return missing(
            f"{name} has crashed ({' and '.join(found.missing)} gone)",
            "`make run` starts it again; `make stop` removes what is left",
        )
    return note(f"{name} is {found.state}", "`make run` starts it")


def look_at_port(machine: Machine, engine: str) -> Finding:
    """The port of an engine that is still to be started is free."""
    try:
        there = machine.engine(engine).engine
    except LocalEngineError:
        there = None  # the check of the engine says so
    if there is not None:
        return ok(f"{there.port} is the engine's own")
    if machine.port_is_free(DEFAULT_PORT):
        return ok(f"{DEFAULT_PORT} is free")
    return missing(
        f"another program listens on {DEFAULT_PORT}",
        "end it, or `make run PORT=0` for any free port",
    )


def deployment_checks(env: str) -> tuple[Check, ...]:
    """Return the checks of what `make deploy` deployed under that name."""
    return (
        Check("AWS credentials", look_at_credentials),
        Check(f"deployment {env}", lambda machine: look_at_deployment(machine, env)),
    )


def look_at_credentials(machine: Machine) -> Finding:
    """AWS accepts the credentials that are found."""
    try:
        return ok(f"account {machine.account()}")
    except (ClientError, BotoCoreError) as err:
        explained = as_command_error(err, "use AWS")
        return missing(explained.problem, explained.remedy)


def look_at_deployment(machine: Machine, env: str) -> Finding:
    """The deployment is known here, as it is now, and may be read."""
    try:
        machine.read_pipeline(env)
    except CommandError as err:
        return missing(err.problem, err.remedy)
    return ok("known here, as it is now; its stream, tables and queues may be read")
