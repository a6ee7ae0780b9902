"""The command line: `python -m millrace_build build|check|lock|metrics|terraform|scan`."""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from millrace_build.build import build_all
from millrace_build.check import check_zip
from millrace_build.errors import BuildError
from millrace_build.lock import check_lock, lock
from millrace_build.metrics import check_metrics
from millrace_build.scan import scan_terraform
from millrace_build.target import Arch, Target
from millrace_build.terraform import check_terraform, provider_config
from millrace_build.venvs import ensure_venv
from millrace_build.workspace import Workspace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 what was checked is at fault."""
    options = _parser().parse_args(arguments)
    run: Callable[[Workspace, argparse.Namespace], None] = options.run
    try:
        run(Workspace.here(), options)
    except BuildError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    return 0


def _build(workspace: Workspace, options: argparse.Namespace) -> None:
    started = time.monotonic()
    for artifact in build_all(workspace, _target(options), options.service):
        how = "built" if artifact.built else "unchanged"
        name = artifact.path.relative_to(workspace.root)
        print(f"{name}: {how}, {_megabytes(artifact.size_bytes)}, sha256 {artifact.sha256[:12]}")
    print(f"zips for {_target(options)} in {time.monotonic() - started:.1f} s")


def _check(workspace: Workspace, options: argparse.Namespace) -> None:
    target = _target(options)
    build_all(workspace, target, options.service)
    # Another platform's wheels cannot be imported here: their contents are checked.
    lambda_runtime = workspace.root / "requirements" / "lambda-runtime.txt"
    python = ensure_venv(workspace, lambda_runtime) if target.is_local else None
    for service in options.service or workspace.services():
        report = check_zip(workspace, service, target, python)
        print(
            f"{service} ({target}): {_megabytes(report.zipped_bytes)} zipped, "
            f"{_megabytes(report.unzipped_bytes)} unzipped, {report.distributions} packages, "
            f"{'handler imports' if report.imported else 'contents only'}"
        )


def _lock(workspace: Workspace, options: argparse.Namespace) -> None:
    if options.check:
        check_lock(workspace)
        print("requirements are in step with their sources")
        return
    changed = lock(workspace, options.upgrade)
    print("\n".join(f"{path}: changed" for path in changed) or "nothing to change")


def _metrics(workspace: Workspace, options: argparse.Namespace) -> None:
    for name, definitions in check_metrics(workspace, options.files).items():
        live = len(definitions.live)
        print(
            f"{name}: {live} live metrics, {len(definitions.metrics) - live} for replays alone, "
            f"version {definitions.version}"
        )


def _terraform(workspace: Workspace, options: argparse.Namespace) -> None:
    del options
    modules = check_terraform(workspace, provider_config(workspace))
    print(f"terraform: {len(modules)} modules are sound")


def _scan(workspace: Workspace, options: argparse.Namespace) -> None:
    del options
    scan = scan_terraform(workspace)
    print(f"checkov: {scan.passed} checks passed, {scan.skipped} skipped with their reasons")


def _target(options: argparse.Namespace) -> Target:
    return Target(options.arch) if options.target == "lambda" else Target()


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1_000_000:.1f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m millrace_build", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    zips = argparse.ArgumentParser(add_help=False)
    zips.add_argument("--target", choices=["local", "lambda"], default="local")
    zips.add_argument("--arch", type=Arch, choices=list(Arch), default=Arch.X86_64)
    zips.add_argument("--service", action="append", default=[], help="may be repeated")
    build = commands.add_parser("build", parents=[zips], help="build the zips into dist/")
    build.set_defaults(run=_build)
    check = commands.add_parser("check", parents=[zips], help="build, then check the zips")
    check.set_defaults(run=_check)
    locking = commands.add_parser("lock", help="compile the hashed requirements files")
    locking.add_argument("--check", action="store_true", help="fail if one is out of step")
    locking.add_argument(
        "--upgrade", action="append", default=[], metavar="PACKAGE", help="may be repeated"
    )
    locking.set_defaults(run=_lock)
    metrics = commands.add_parser("metrics", help="check metric definitions")
    metrics.add_argument("files", nargs="*", type=Path, help="beside those in terraform/metrics")
    metrics.set_defaults(run=_metrics)
    terraform = commands.add_parser("terraform", help="fmt all, test or validate each module")
    terraform.set_defaults(run=_terraform)
    scan = commands.add_parser("scan", help="scan the Terraform code for known mistakes")
    scan.set_defaults(run=_scan)
    return parser


if __name__ == "__main__":
    sys.exit(main())
