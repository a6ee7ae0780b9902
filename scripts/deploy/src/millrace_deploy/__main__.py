"""The command line: `python -m millrace_deploy bootstrap|plan|deploy|outputs|destroy`."""

import argparse
import os
import sys
from collections.abc import Sequence

from millrace_build import Workspace
from millrace_deploy.aws import find_account
from millrace_deploy.commands import Commands
from millrace_deploy.environments import find_environment
from millrace_deploy.errors import DeployError
from millrace_deploy.smoke import DEADLINE_S
from millrace_deploy.stack import find_stack

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 an error, 130 interrupted."""
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except DeployError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("error: interrupted; run it again", file=sys.stderr)
        return _INTERRUPTED
    return 0


def _run(options: argparse.Namespace) -> None:
    workspace = Workspace.here()
    environment = find_environment(workspace.root / "terraform" / "envs", options.env)
    stack = find_stack(environment, options.prefix, find_account)
    commands = Commands(stack, workspace, _say, _ask)
    _say(f"{stack.name} is {stack.name_prefix}, account {stack.account_id}, {stack.region}")
    match options.command:
        case "bootstrap":
            commands.bootstrap()
        case "plan":
            commands.plan()
        case "deploy":
            commands.deploy(allow_loss=options.allow_loss, smoke_s=options.smoke_s)
        case "outputs":
            commands.outputs()
        case "destroy":
            commands.destroy(options.confirm)


def _say(text: str) -> None:
    print(f"deploy: {text}", flush=True)


def _ask(question: str) -> str:
    try:
        return input(question)
    except EOFError:
        return ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m millrace_deploy", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND", dest="command")
    stack = argparse.ArgumentParser(add_help=False)
    # Make passes its variables by the environment, so that nothing in them is the shell's.
    stack.add_argument("--env", default=os.environ.get("ENV", ""), help="a folder of envs")
    stack.add_argument(
        "--prefix", default=os.environ.get("PREFIX", ""), help="another stack's name prefix"
    )
    commands.add_parser("bootstrap", parents=[stack], help="make the bucket of the states")
    commands.add_parser("plan", parents=[stack], help="show what a deploy would change")
    deploy = commands.add_parser("deploy", parents=[stack], help="apply, then test with 10 events")
    deploy.add_argument(
        "--allow-loss",
        action="store_true",
        default=os.environ.get("ALLOW_LOSS") == "1",
        help="also delete or replace what holds data",
    )
    deploy.add_argument(
        "--smoke-s", type=float, default=DEADLINE_S, help="seconds that the 10 events may take"
    )
    commands.add_parser("outputs", parents=[stack], help="read the outputs of what is deployed")
    destroy = commands.add_parser("destroy", parents=[stack], help="remove all of a stack")
    destroy.add_argument(
        "--confirm", default=os.environ.get("CONFIRM", ""), help="the name prefix, typed ahead"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
