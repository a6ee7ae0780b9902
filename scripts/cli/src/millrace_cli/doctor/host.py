"""Checks of the machine itself: programs, environment, room."""

import re

from millrace_cli.doctor.findings import Check, Finding, missing, note, ok
from millrace_cli.doctor.machine import Machine
from millrace_local.errors import LocalEngineError

OLDEST_PYTHON = (3, 11)
OLDEST_MAKE = 4
AWS_PROVIDER = "registry.terraform.io/hashicorp/aws"
GB = 1024**3
NEEDED_DISK_GB = 1.6
"""Measured, in MB: .venv 305, .tools 63, zips 24, the engine's environments 88, a running engine
361, and the AWS provider, where it is downloaded, 675."""
NEEDED_MEMORY_GB = 1.0
"""Measured: 340 MB for the engine, and Terraform with its provider beside it."""


def look_at_python(machine: Machine) -> Finding:
    """Python is new enough, and can make environments."""
    found = ".".join(map(str, machine.python))
    remedy = "install Python 3.11 or newer with venv, then `make setup PYTHON=/path/to/python3`"
    if machine.python < OLDEST_PYTHON:
        return missing(f"Python {found} is too old", remedy)
    lacking = [name for name in ("venv", "ensurepip") if not machine.has_module(name)]
    if lacking:
        return missing(
            f"Python {found} has no {' and no '.join(lacking)}",
            f"Debian, Ubuntu: apt-get install python3-venv; else {remedy}",
        )
    return ok(f"Python {found}")


def look_at_make(machine: Machine) -> Finding:
    """GNU make 4 is there, under one of its names."""
    seen = []
    for name in ("make", "gmake"):
        answer = machine.output([name, "--version"]) or ""
        if match := re.match(r"GNU Make (\d+)\.(\S+)", answer):
            if int(match[1]) >= OLDEST_MAKE:
                return ok(f"{name} is GNU make {match[1]}.{match[2]}")
            seen.append(f"{name} is GNU make {match[1]}.{match[2]}")
    return missing(
        "; ".join(seen) or "GNU make is not there",
        "install GNU make 4 (Debian, Ubuntu: apt-get install make; macOS: brew install make, "
        "then gmake)",
    )


def look_at_setup(machine: Machine) -> Finding:
    """The environment is the one that the lock files describe."""
    if machine.is_set_up():
        return ok("the environment is up to date")
    return missing("the environment is older than its requirements or packages", "run `make setup`")


def look_at_terraform(machine: Machine) -> Finding:
    """Terraform is there and new enough."""
    try:
        return ok(machine.terraform())
    except LocalEngineError as err:
        return _from(err)


def look_at_providers(machine: Machine) -> Finding:
    """The AWS provider can be had: from a mirror, or from the registry."""
    try:
        mirror = machine.provider_mirror()
    except LocalEngineError as err:
        return _from(err)
    if mirror is None:
        return note("from Terraform's own folders, else downloaded from registry.terraform.io",
                    "without a network set TF_PLUGIN_MIRROR to a folder that "
                    "`terraform providers mirror` filled")  # fmt: skip
    if not (mirror / AWS_PROVIDER).is_dir():
        return missing(
            f"the mirror {mirror} holds no {AWS_PROVIDER}",
            "fill it with `terraform providers mirror`, or unset TF_PLUGIN_MIRROR",
        )
    return ok(f"mirror {mirror}")


def look_at_uv(machine: Machine) -> Finding:
    """Uv, which builds the zips and the engine's environments, is there."""
    try:
        return ok(machine.uv())
    except LocalEngineError as err:
        return _from(err)


def look_at_permissions(machine: Machine) -> Finding:
    """What the commands write to can be written."""
    refused = machine.unwritable()
    if not refused:
        return ok("the checkout can be written")
    return missing(
        f"may not write to {', '.join(map(str, refused))}",
        "make the folders yours (chown), or clone again as this user",
    )


def look_at_disk(machine: Machine) -> Finding:
    """There is room for the environments, the zips and the engine."""
    return _room(
        "disk", machine.free_disk_bytes(), NEEDED_DISK_GB, "free some, or clone to a larger disk"
    )


def look_at_memory(machine: Machine) -> Finding:
    """There is memory for the engine and Terraform."""
    available = machine.available_memory_bytes()
    if available is None:
        return note("this system does not say how much is available")
    return _room("memory", available, NEEDED_MEMORY_GB, "end other programs")


def _room(what: str, found_bytes: int, needed_gb: float, remedy: str) -> Finding:
    found = f"{found_bytes / GB:.1f} GB of {what} available"
    if found_bytes < needed_gb * GB:
        return missing(f"{found}, {needed_gb:g} GB needed", remedy)
    return ok(found)


def _from(err: LocalEngineError) -> Finding:
    problem, _, remedy = str(err).partition(": ")
    return missing(problem, remedy or problem)


HOST_CHECKS = (
    Check("Python", look_at_python),
    Check("make", look_at_make),
    Check("set-up", look_at_setup),
    Check("permissions", look_at_permissions),
    Check("disk", look_at_disk),
    Check("memory", look_at_memory),
    Check("uv", look_at_uv),
    Check("Terraform", look_at_terraform),
    Check("providers", look_at_providers),
)
