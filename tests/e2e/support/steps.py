"""Carries out the steps that the cockpit prints: in this process, or by the shell as printed."""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from botocore import xform_name
from pipeline import Pipeline

_REACH = re.compile(r'eval "\$\(millrace env(?P<where>[^)]*)\)" && aws (?P<words>.+)')


def carry_out(pipeline: Pipeline, command: str) -> None:
    """Carry out a step of AWS's CLI by the call that the CLI makes of it, without starting it.

    The CLI's names are those of the service's model, with dashes; a flag without a value is true.
    https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-commandstructure.html
    """
    found = _REACH.fullmatch(command)
    assert found, command
    assert pipeline.deployed.engine.name in found["where"]
    service, operation, *options = shlex.split(found["words"])
    client: Any = pipeline.deployed.client(service)
    by_option = {
        f"--{xform_name(member, '-')}": member
        for member in client.meta.service_model.operation_model(
            client.meta.method_to_api_mapping[operation.replace("-", "_")]
        ).input_shape.members
    }
    arguments: dict[str, Any] = {}
    while options:
        member = by_option[options.pop(0)]
        flag = not options or options[0].startswith("--")
        arguments[member] = True if flag else options.pop(0)
    getattr(client, operation.replace("-", "_"))(**arguments)


def run_in_shell(command: str, path: str) -> str:
    """Run a step as it is printed, by a shell in the checkout, and return what it printed."""
    own = Path(sys.executable).parent
    ran = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=own.parents[1],
        env={"PATH": f"{own}:{path}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout
