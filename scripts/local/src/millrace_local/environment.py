"""The environments of the engine's processes: built from nothing, so that nothing leaks in."""

import os
from collections.abc import Mapping

from millrace_local.project import EngineFolder

REGION = "us-east-1"
# Root of the engine even with AUTH; the account of key `test` is 000000000000.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}

_INHERITED = ("PATH", "LANG", "LC_ALL", "TZ")


def clean_environment(
    folder: EngineFolder, source: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return what every process of the engine gets.

    No AWS_*, PYTHON* or proxy variable of the caller; no home, so no ~/.aws of the caller either.
    """
    return {
        **{name: source[name] for name in _INHERITED if name in source},
        "HOME": str(folder.temporary),
        "TMPDIR": str(folder.temporary),
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        **CREDENTIALS,
    }


def engine_environment(
    folder: EngineFolder, port: int, source: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the environment of ministack: its settings, all state below the engine's folder."""
    return {
        **clean_environment(folder, source),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": REGION,
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": str(folder.path / "s3"),
        "STATE_DIR": str(folder.path / "state"),
        # No container may be started on the caller's behalf, or reaped.
        "DOCKER_HOST": f"unix://{folder.temporary}/no-docker.sock",
    }


def wants_shard_limits(source: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the caller's SHARD_LIMITS asks for the throughput limits of Kinesis shards."""
    return source.get("SHARD_LIMITS", "").lower() in {"1", "true", "yes", "on"}
