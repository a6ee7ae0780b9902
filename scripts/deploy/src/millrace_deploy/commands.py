"""What `make bootstrap`, `plan`, `deploy`, `outputs` and `destroy` do to one stack."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from millrace_build import Arch, BuildError, Target, Workspace, build_all
from millrace_cli.deployment import Deployment, StateRecord
from millrace_cli.environment import Environment, load_environment
from millrace_cli.errors import CommandError
from millrace_deploy import aws
from millrace_deploy.bootstrap import bootstrap, check_bootstrapped
from millrace_deploy.errors import DeployError
from millrace_deploy.loss import lost, protected
from millrace_deploy.smoke import EVENTS, run_smoke
from millrace_deploy.stack import Stack
from millrace_deploy.terraform import Terraform

# Destroying any other asks for the name to be typed.
_GOES_UNASKED = "dev"
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Commands:
    """The commands for one stack. say: hears of each step. ask: answers the one question."""

    stack: Stack
    workspace: Workspace
    say: Say
    ask: Callable[[str], str]

    def bootstrap(self) -> None:
        """Make the bucket of the environment's states."""
        self.say(f"Making the state bucket {self.stack.state_bucket}")
        folder = self._deployed / self.stack.environment.name / self.stack.state_bucket
        bootstrap(self.stack, self.workspace.root / "terraform" / "bootstrap", folder)

    def plan(self) -> dict[str, Any]:
        """Show what a deploy would change; change nothing."""
        terraform = self._connected()
        self._build()
        self.say("Planning")
        return terraform.plan()

    def deploy(self, *, allow_loss: bool, smoke_s: float) -> None:
        """Apply what a plan says, then send ten events through the pipeline and follow them.

        Raises:
            DeployError: data would be lost and may not be, Terraform failed, or the events are not
                accounted for in time.
        """
        terraform = self._connected()
        self._build()
        self.say("Planning")
        self._check_loss(terraform.plan(), allow_loss=allow_loss)
        self.say("Applying the plan")
        terraform.apply()
        self._remember(terraform)
        self.say(f"Sending {EVENTS} events, and waiting until all are accounted for")
        run_smoke(self._environment(), smoke_s)
        self.say(f"{self.stack.name} is deployed: `millrace status --env {self.stack.name}`")

    def outputs(self) -> None:
        """Read the outputs of what is deployed, for `millrace --env`."""
        self._remember(self._connected())
        self.say(f"outputs of {self.stack.name}: {self._deployment.outputs}")

    def destroy(self, confirmation: str) -> None:
        """Remove everything of the stack; the state bucket stays.

        confirmation: the name prefix, typed; asked for if it is empty and the environment needs it.

        Raises:
            DeployError: it was not confirmed, or something is protected: nothing was removed then.
        """
        terraform = self._connected()
        self._build()  # the configuration names the zips
        self.say("Planning what goes")
        plan = terraform.plan(destroy=True)
        self._check_protection(plan)
        self._confirm(confirmation)
        self.say("Destroying")
        terraform.apply()
        terraform.forget()
        self._deployment.forget()
        self.say(f"{self.stack.name} is gone; its states stay in s3://{self.stack.state_bucket}")

    def _connected(self) -> Terraform:
        check_bootstrapped(self.stack)
        terraform = Terraform(
            self.stack.environment.root,
            self._deployed / self.stack.environment.name / "terraform" / self.stack.name_prefix,
            self._variables(),
            self._backend(),
        )
        self.say(f"Connecting to the state of {self.stack.name_prefix} in {self.stack.region}")
        terraform.init()
        return terraform

    def _backend(self) -> dict[str, str]:
        stack = self.stack
        local = {"use_path_style": "true"} if stack.on_local_engine else {}
        return {
            "bucket": stack.state_bucket,
            "key": stack.state_key,
            "region": stack.region,
            **local,
        }

    def _variables(self) -> dict[str, str]:
        stack = self.stack
        # Relative: the path is in the state, and must be the same on every machine.
        folder = os.path.relpath(self.workspace.dist / self._target.folder, stack.environment.root)
        local = {"local_engine": "true"} if stack.on_local_engine else {}
        return {
            "name_prefix": stack.name_prefix,
            "region": stack.region,
            "account_id": stack.account_id,
            "artifacts_dir": folder,
            **local,
        }

    @property
    def _target(self) -> Target:
        """The local engine runs functions with this machine's interpreter."""
        return Target() if self.stack.on_local_engine else Target(Arch.X86_64)

    @property
    def _deployed(self) -> Path:
        return self.workspace.state.resolve() / "deployed"

    @property
    def _deployment(self) -> Deployment:
        return Deployment(self.stack.name, self.workspace.state)

    def _build(self) -> None:
        self.say(f"Building the functions' zips ({self._target})")
        try:
            build_all(self.workspace, self._target)
        except BuildError as err:
            raise DeployError(str(err)) from err

    def _check_loss(self, plan: dict[str, Any], *, allow_loss: bool) -> None:
        if (gone := lost(plan)) and not allow_loss:
            raise DeployError(
                f"this would delete or replace what holds data: {', '.join(gone)}",
                "nothing was changed; if that is meant: ALLOW_LOSS=1",
            )

    def _check_protection(self, plan: dict[str, Any]) -> None:
        if kept := protected(plan):
            raise DeployError(
                f"{self.stack.name} is protected: {', '.join(kept)}",
                "nothing was removed; docs/deploy.md says how to take the protection off",
            )

    def _confirm(self, confirmation: str) -> None:
        if self.stack.environment.name == _GOES_UNASKED:
            return
        wanted = self.stack.name_prefix
        typed = confirmation or self.ask(f"Everything of {wanted} goes. Type its name to go on: ")
        if typed.strip() != wanted:
            raise DeployError(f"{wanted} was not confirmed", "nothing was removed")

    def _remember(self, terraform: Terraform) -> None:
        """Keep the outputs, and which version of the state they are of."""
        stack = self.stack
        # Before the outputs: a state written in between makes them look old, never new.
        version = aws.etag(stack.state_bucket, stack.state_key, stack.region)
        outputs = terraform.outputs().get("pipeline")
        if version is None or not outputs:
            raise DeployError(
                f"nothing is deployed of {stack.name}", f"run `{stack.make('deploy')}`"
            )
        state = StateRecord(
            bucket=stack.state_bucket,
            key=stack.state_key,
            region=stack.region,
            etag=version,
            endpoint=stack.endpoint,
            read_at=datetime.now(UTC),
        )
        self._deployment.write(outputs, state)

    def _environment(self) -> Environment:
        try:
            return load_environment("", env=self.stack.name)
        except CommandError as err:
            raise DeployError(str(err)) from err
