"""Checking the Terraform code: format, and per module init, and test or validate."""

import os
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from millrace_build.errors import BuildError
from millrace_build.workspace import Workspace
from millrace_local.errors import LocalEngineError
from millrace_local.terraform.program import cli_configuration, find_terraform, provider_mirror

# Each run of a module holds a copy of the provider's process: about 700 MB.
_PARALLEL_MODULES = 2
# Go's collector runs less often than by default: nine plans of the pipeline then take 19 s of CPU
# time instead of 26 s, and 740 MB instead of 480 MB.
_COLLECT_SELDOM = {"GOGC": "400"}


def check_terraform(workspace: Workspace, cli_config: Path) -> tuple[str, ...]:
    """Check all Terraform code with the CLI configuration `cli_config`; print as it goes.

    Returns: the modules checked, relative to `terraform/`.
    Raises: BuildError: with Terraform's own output, for all modules that failed.
    """
    code = workspace.root / "terraform"
    run_terraform(["fmt", "-check", "-recursive", "-diff", "."], code, {})
    modules = module_folders(code)
    settings = [_settings(workspace, module, cli_config) for module in modules]
    # One at a time: Terraform does not lock the plugin cache.
    for module, setting in zip(modules, settings, strict=True):
        run_terraform(["init", "-backend=false", "-no-color"], module, setting)
    with ThreadPoolExecutor(max_workers=_PARALLEL_MODULES) as pool:
        outcomes = list(pool.map(_check, modules, settings))
    faults = [fault for fault in outcomes if fault]
    if faults:
        raise BuildError("\n".join(faults))
    return tuple(str(module.relative_to(code)) for module in modules)


def module_folders(code: Path) -> tuple[Path, ...]:
    """Return the folders below `code` that hold Terraform configuration, sorted."""
    found = {path.parent for depth in ("*/*.tf", "*/*/*.tf") for path in code.glob(depth)}
    return tuple(sorted(found))


def provider_config(workspace: Workspace) -> Path:
    """Write the Terraform CLI configuration that the local engine uses too, and return its path.

    Raises: BuildError: the variable TF_PLUGIN_MIRROR names no mirror.
    """
    # `plugins` is the engine's name for the same cache.
    cache = workspace.state / "plugins"
    try:
        content = cli_configuration(provider_mirror(), cache)
    except LocalEngineError as err:
        raise BuildError(str(err)) from err
    path = _state(workspace) / "terraform.rc"
    for folder in (cache, path.parent):
        folder.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return path


def run_terraform(arguments: Sequence[str], folder: Path, settings: dict[str, str]) -> str:
    """Run Terraform in `folder` and return its output.

    Raises: BuildError: Terraform is missing, too old, or failed.
    """
    environment = {
        **_COLLECT_SELDOM, **os.environ, **settings,
        "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1", "TF_INPUT": "0",
    }  # fmt: skip
    try:
        program = find_terraform()
    except LocalEngineError as err:
        raise BuildError(str(err)) from err
    outcome = subprocess.run(
        [program, *arguments],
        cwd=folder, env=environment, text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    if outcome.returncode != 0:
        raise BuildError(f"terraform {arguments[0]} failed in {folder}:\n{outcome.stdout.strip()}")
    return outcome.stdout


def _state(workspace: Workspace) -> Path:
    # The dot: what begins with a letter there may be an engine's.
    return workspace.state / ".terraform-check"


def _settings(workspace: Workspace, module: Path, cli_config: Path) -> dict[str, str]:
    """Keep what Terraform downloads out of the tree."""
    data = _state(workspace) / module.relative_to(workspace.root / "terraform")
    data.mkdir(parents=True, exist_ok=True)
    return {"TF_CLI_CONFIG_FILE": str(cli_config), "TF_DATA_DIR": str(data)}


def _check(module: Path, settings: dict[str, str]) -> str | None:
    """Return what is wrong with one module, or None.

    A test begins by validating all blocks with the real provider: a mocked one invents answers, and
    keeps the schema (https://developer.hashicorp.com/terraform/language/tests/mocking).
    """
    step = "test" if any(module.rglob("*.tftest.hcl")) else "validate"
    try:
        output = run_terraform([step, "-no-color"], module, settings)
    except BuildError as err:
        return str(err)
    print(f"{module.parent.name}/{module.name}: {_last_line(output)}", flush=True)
    return None


def _last_line(output: str) -> str:
    return output.strip().splitlines()[-1]
