"""`millrace doctor`."""

import typer

from millrace_cli.doctor.findings import State, examine
from millrace_cli.doctor.host import HOST_CHECKS
from millrace_cli.doctor.machine import ThisMachine
from millrace_cli.doctor.pipeline import deployment_checks, engine_checks
from millrace_cli.doctor.table import show_checks
from millrace_cli.environment import DEFAULT_ENGINE, LOCAL
from millrace_cli.errors import ExitCode
from millrace_cli.options import AsJson, Engine, Env
from millrace_cli.reporting import print_json, reported


@reported
def doctor_command(
    *, as_json: AsJson = False, engine: Engine = DEFAULT_ENGINE, env: Env = None
) -> None:
    """Show what is missing on this machine, and how to get it; changes nothing.

    With --env also whether AWS's credentials work and that deployment may be read. Exit code 1 if
    something that is needed is missing.
    """
    checks = HOST_CHECKS + engine_checks(engine)
    if env not in {None, LOCAL}:
        checks += deployment_checks(str(env))
    results = examine(checks, ThisMachine())
    lacking = sum(each.finding.state is State.MISSING for each in results)
    if as_json:
        print_json({"missing": lacking, "checks": [each.as_dict() for each in results]})
    else:
        show_checks(results)
    if lacking:
        raise typer.Exit(int(ExitCode.ERROR))
