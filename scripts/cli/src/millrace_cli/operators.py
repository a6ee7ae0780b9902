"""Who is at work, why, and the audit that keeps it."""

import getpass
from typing import Annotated

import typer

from millrace.aws.audit import DynamoAudit
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode

Reason = Annotated[str, typer.Option(help="Why; kept in the audit. Required outside local.")]


def operator() -> str:
    """Return who is at work, for the audit: the machine's user."""
    return getpass.getuser()


def stated_reason(environment: Environment, reason: str) -> str:
    """Return the reason without white space around it; on the local engine it may be empty.

    Raises:
        CommandError: outside the local engine, and it says nothing.
    """
    said = reason.strip()
    if not said and environment.endpoint is None:
        raise CommandError(
            "--reason is needed outside the local engine",
            "say why in a few words; it is kept in the audit",
            ExitCode.USAGE,
        )
    return said


def audit_log(environment: Environment) -> DynamoAudit:
    """Return the audit of a deployment.

    Raises:
        CommandError: it has none, because it was deployed by an earlier release.
    """
    table = environment.outputs.tables.audit
    if table is None:
        raise CommandError("this deployment has no audit", "apply Terraform again")
    return DynamoAudit(environment.clients.dynamodb(), table)
