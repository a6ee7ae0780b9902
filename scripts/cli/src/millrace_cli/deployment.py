"""What `make deploy` leaves of a deployment: Terraform's outputs, and the state they are of."""

import contextlib
import json
import os
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from millrace_cli.aws import Clients, as_command_error, code_of, explained
from millrace_cli.errors import CommandError, ExitCode
from millrace_local.files import write_json
from millrace_local.project import default_root

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}(/[a-z][a-z0-9-]{0,39})?")
_ENDPOINT = "AWS_ENDPOINT_URL"
_GONE = frozenset({"404", "NoSuchBucket", "NoSuchKey", "NotFound"})
_FORBIDDEN = frozenset({"403", "AccessDenied", "Forbidden"})


class StateRecord(BaseModel):
    """The state that outputs were read from, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bucket: str
    key: str
    region: str
    etag: str
    """Changes with every write of the state."""
    endpoint: str | None
    """AWS_ENDPOINT_URL at that time; None for AWS itself."""
    read_at: AwareDatetime


class Deployment:
    """The folder of one deployment: `dev`, or `dev/<name prefix>` for a further stack of it."""

    def __init__(self, name: str, root: Path | None = None) -> None:
        """Name a deployment.

        Raises:
            CommandError: this cannot be the name of one.
        """
        if not _NAME.fullmatch(name):
            raise CommandError(
                f"{name!r} cannot name an environment",
                "give one as in `dev`, or a further stack of it as in `dev/millrace-two`",
                ExitCode.USAGE,
            )
        self.name = name
        self.folder = (root or default_root()).resolve() / "deployed" / name

    @property
    def outputs(self) -> Path:
        """outputs.json: Terraform's outputs by name."""
        return self.folder / "outputs.json"

    @property
    def _state(self) -> Path:
        return self.folder / "state.json"

    @property
    def refresh(self) -> str:
        """The command that reads the outputs again."""
        return self._make("outputs")

    def _make(self, target: str) -> str:
        env, _, prefix = self.name.partition("/")
        return f"make {target} ENV={env}{f' PREFIX={prefix}' if prefix else ''}"

    def write(self, outputs: Mapping[str, Any], state: StateRecord) -> None:
        """Replace what is known; the outputs last, as nothing reads the state without them."""
        write_json(self._state, state.model_dump(mode="json"))
        write_json(self.outputs, outputs)

    def forget(self) -> None:
        """Remove what is known: the deployment is gone."""
        for file in (self.outputs, self._state):
            file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # another stack's folder is in it, or it never was
            self.folder.rmdir()

    def state(self) -> StateRecord:
        """Return which state the outputs are of.

        Raises:
            CommandError: nothing is known of this deployment here.
        """
        try:
            return StateRecord.model_validate(json.loads(self._state.read_text()))
        except FileNotFoundError as err:
            raise CommandError(
                f"nothing is known here of the environment {self.name}",
                f"deploy it (`{self._make('deploy')}`), or, if it is deployed, `{self.refresh}`",
            ) from err
        except (OSError, ValueError, ValidationError) as err:
            raise CommandError(f"cannot read {self._state}", f"run `{self.refresh}`") from err


def _warn(text: str) -> None:
    print(f"warning: {text}", file=sys.stderr)


def current_outputs(
    deployment: Deployment,
    client: Callable[[str], "S3Client"] = lambda region: Clients.on_aws(region).s3(),
    environ: Mapping[str, str] = os.environ,
    warn: Callable[[str], None] = _warn,
) -> Path:
    """Return the file of the deployment's outputs once the state has been seen to be the same.

    Warns where the caller may not read the state's version: nobody knows then.

    Raises:
        CommandError: nothing is known of it, it was deployed or destroyed since, or it lives at
            another endpoint than the one in use.
    """
    state = deployment.state()
    given = environ.get(_ENDPOINT) or None
    if given != state.endpoint:
        raise CommandError(
            f"{deployment.name} is deployed at {state.endpoint or 'AWS'}, and {_ENDPOINT} names "
            f"{given or 'no other place'}",
            f"set it to {state.endpoint}" if state.endpoint else f"unset {_ENDPOINT}",
        )
    etag = _etag(client(state.region), state)
    if etag is None:
        when = _since(state.read_at)
        warn(f"the state of {deployment.name} may not be read: its outputs are those of {when}")
    elif etag != state.etag:
        raise CommandError(
            f"{deployment.name} was deployed again since its outputs were read here "
            f"({_since(state.read_at)})",
            f"run `{deployment.refresh}`",
        )
    return deployment.outputs


def _etag(s3: "S3Client", state: StateRecord) -> str | None:
    """Return the state's present version; None if the caller may not see it."""
    with explained("look at the deployment's state"):
        try:
            return s3.head_object(Bucket=state.bucket, Key=state.key)["ETag"]
        except ClientError as err:
            if code_of(err) in _FORBIDDEN:
                return None
            if code_of(err) in _GONE:
                raise CommandError(
                    f"there is no state s3://{state.bucket}/{state.key} any more",
                    "the deployment was removed, or these credentials are of another account",
                ) from err
            raise as_command_error(err, "look at the deployment's state") from err


def _since(at: datetime) -> str:
    return at.isoformat(timespec="seconds")
