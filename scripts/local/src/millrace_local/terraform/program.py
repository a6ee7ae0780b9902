"""Finds Terraform and tells it where providers come from."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from millrace_local.errors import LocalEngineError

MINIMUM = (1, 11)
_HOST = "registry.terraform.io"
# The system's folder for add-on software (Filesystem Hierarchy Standard 3.0, 3.13).
_ADD_ONS = Path("/opt")


def find_terraform() -> str:
    """Return Terraform's path. Raises: LocalEngineError: missing or too old."""
    remedy = "install 1.11 or later (https://developer.hashicorp.com/terraform/install)"
    found = shutil.which(os.environ.get("TERRAFORM", "terraform"))
    if not found:
        raise LocalEngineError(f"terraform is missing: {remedy} or set TERRAFORM to its path")
    # Without the caller's configuration file, which may be named and not there.
    env = {name: value for name, value in os.environ.items() if name != "TF_CLI_CONFIG_FILE"}
    command = [found, "version", "-json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    try:
        version = str(json.loads(done.stdout)["terraform_version"])
    except (ValueError, KeyError) as err:
        raise LocalEngineError(f"{found} is not a Terraform that works: {remedy}") from err
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < MINIMUM:
        raise LocalEngineError(f"terraform {version} is too old: {remedy}")
    return found


def provider_mirror(
    source: Mapping[str, str] = os.environ, add_ons: Path = _ADD_ONS
) -> Path | None:
    """Return the folder that providers are taken from; None to leave it to Terraform.

    TF_PLUGIN_MIRROR, else a folder that Terraform looks into by itself (then None), else a folder
    just below the add-on software's that holds providers; None as well for the registry.
    Raises: LocalEngineError: TF_PLUGIN_MIRROR is not a mirror.
    """
    if given := source.get("TF_PLUGIN_MIRROR"):
        if not (Path(given) / _HOST).is_dir():
            raise LocalEngineError(
                f"TF_PLUGIN_MIRROR={given} holds no {_HOST}: correct or unset it"
            )
        return Path(given)
    if any((folder / _HOST).is_dir() for folder in _implied_mirrors(source)):
        return None
    found = sorted(add_ons.glob(f"*/{_HOST}"))
    return found[0].parent if found else None


def _implied_mirrors(source: Mapping[str, str]) -> list[Path]:
    """https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories."""
    home = Path(source.get("HOME", "~")).expanduser()
    data_home = Path(source.get("XDG_DATA_HOME") or home / ".local" / "share")
    shared = (source.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    return [
        home / ".terraform.d" / "plugins",
        data_home / "terraform" / "plugins",
        *(Path(folder) / "terraform" / "plugins" for folder in shared),
        home / "Library" / "Application Support" / "io.terraform" / "plugins",
        Path("/Library/Application Support/io.terraform/plugins"),
    ]


def cli_configuration(mirror: Path | None, cache: Path) -> str:
    """Return Terraform's configuration file.

    cache: where the registry's downloads are kept, so that not every engine makes its own.
    """
    if mirror is None:
        # The lock file stays out of git, and without one the cache is used only on this word.
        return (
            f"plugin_cache_dir = {json.dumps(str(cache))}\n"
            "plugin_cache_may_break_dependency_lock_file = true\n"
        )
    return (
        "provider_installation {\n"
        "  filesystem_mirror {\n"
        f"    path    = {json.dumps(str(mirror))}\n"
        f'    include = ["{_HOST}/*/*"]\n'
        "  }\n"
        f'  direct {{ exclude = ["{_HOST}/*/*"] }}\n'
        "}\n"
    )
