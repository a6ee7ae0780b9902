"""One stack: an environment under a name prefix, in one account and one region."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from millrace_deploy.environments import Environment
from millrace_deploy.errors import DeployError

ENDPOINT = "AWS_ENDPOINT_URL"
# That of modules/pipeline, which says the same to who calls Terraform by hand.
_PREFIX = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Stack:
    """What is deployed, where, and under which name."""

    environment: Environment
    name_prefix: str
    region: str
    account_id: str
    endpoint: str | None
    """What stands in for AWS; None is AWS itself."""

    @property
    def name(self) -> str:
        """As in `millrace --env`: the environment, with the prefix if it is not the usual one."""
        usual = self.name_prefix == self.environment.settings.name_prefix
        return self.environment.name if usual else f"{self.environment.name}/{self.name_prefix}"

    @property
    def state_bucket(self) -> str:
        """The bucket of all states of this environment in this account and region."""
        return f"millrace-state-{self.environment.name}-{self.account_id}-{self.region}"

    @property
    def state_key(self) -> str:
        """Where in it the state of this stack lies."""
        return f"{self.name_prefix}/terraform.tfstate"

    @property
    def on_local_engine(self) -> bool:
        """Whether the endpoint is the local engine: it has no TLS."""
        return self.endpoint is not None

    def make(self, target: str) -> str:
        """Return the command line of a make target for this stack."""
        prefix = f" PREFIX={self.name_prefix}" if "/" in self.name else ""
        return f"make {target} ENV={self.environment.name}{prefix}"


def find_stack(
    environment: Environment,
    prefix: str,
    find_account: Callable[[str], str],
    environ: Mapping[str, str] = os.environ,
) -> Stack:
    """Return the stack that is meant.

    prefix: empty for the environment's own.
    find_account: returns the account of the credentials in use, given a region.

    Raises:
        DeployError: the prefix cannot begin names, the credentials are of another account than the
            environment's, or the endpoint is one that the environment cannot be deployed to.
    """
    settings = environment.settings
    name_prefix = prefix or settings.name_prefix
    if not _PREFIX.fullmatch(name_prefix):
        raise DeployError(
            f"{name_prefix!r} cannot be a name prefix",
            "give 3 to 40 characters out of a-z, 0-9 and '-', a letter first, no '-' last",
        )
    endpoint = environ.get(ENDPOINT) or None
    _check_endpoint(environment, endpoint)
    account = find_account(settings.region)
    if settings.account_id not in {None, account}:
        raise DeployError(
            f"these credentials are of account {account}, and {environment.name} belongs into "
            f"{settings.account_id}",
            "choose others (AWS_PROFILE)",
        )
    return Stack(environment, name_prefix, settings.region, account, endpoint)


def _check_endpoint(environment: Environment, endpoint: str | None) -> None:
    if endpoint is None:
        return
    if urlsplit(endpoint).scheme != "http":
        raise DeployError(
            f"{ENDPOINT}={endpoint} is not the local engine", f"unset {ENDPOINT} to deploy to AWS"
        )
    if environment.settings.local_engine is None:
        raise DeployError(
            f"{environment.name} demands TLS, which {ENDPOINT}={endpoint} has not",
            f"unset {ENDPOINT}, or deploy an environment that the local engine can take (dev)",
        )
