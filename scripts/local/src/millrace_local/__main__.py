"""The engine's own commands: python -m millrace_local start|stop|status|logs|apply|repair."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from millrace_local import engine as life_cycle
from millrace_local.engine import Engine
from millrace_local.errors import LocalEngineError
from millrace_local.mapping.state import ShardProgress, read_state
from millrace_local.ports import DEFAULT_PORT
from millrace_local.project import EngineFolder, default_root, project_root
from millrace_local.terraform import OnProgress, Progress, Terraform

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
console = Console(highlight=False, soft_wrap=True)

Name = Annotated[str, typer.Option("--name", envvar="ENGINE", help="Which engine.")]
Port = Annotated[int, typer.Option("--port", envvar="PORT", help="0 for any free one.")]
Uuids = Annotated[list[str] | None, typer.Argument(help="UUIDs of mappings.")]
Root = Annotated[Path | None, typer.Option("--root", help="Folder of all engines' state.")]


@app.command()
def start(
    name: Name = life_cycle.DEFAULT_NAME,
    port: Port = DEFAULT_PORT,
    root: Root = None,
    *,
    shard_limits: Annotated[
        bool | None, typer.Option(help="Throttle Kinesis shards as AWS does ($SHARD_LIMITS).")
    ] = None,
) -> None:
    """Start the engine, or find it running."""
    _print_engine(life_cycle.start(name, port, root, console.print, shard_limits=shard_limits))


@app.command()
def stop(name: Name = life_cycle.DEFAULT_NAME, root: Root = None) -> None:
    """End the engine and remove its state."""
    was_there = life_cycle.stop(name, root)
    console.print(f"engine {name} ended and emptied" if was_there else f"no engine {name}")


@app.command()
def status(name: Name = life_cycle.DEFAULT_NAME, root: Root = None) -> None:
    """Say whether the engine runs and how far its Kinesis mappings have got."""
    engine = life_cycle.running(name, root)
    _print_engine(engine)
    for uuid, mapping in read_state(engine.folder.mapping_state).items():
        paused = ", paused" if mapping.paused else ""
        console.print(f"mapping {uuid} of {mapping.stream_arn}{paused}: {mapping.result}")
        if mapping.ignored_settings:
            console.print(f"  not supported, ignored: {', '.join(mapping.ignored_settings)}")
        for shard_id, shard in mapping.shards.items():
            console.print(f"  {shard_id}: {_progress(shard)}")


@app.command()
def pause(mapping: Uuids = None, name: Name = life_cycle.DEFAULT_NAME, root: Root = None) -> None:
    """Disable Kinesis mappings, all of them by default: what is under way is finished."""
    _enable(life_cycle.running(name, root), mapping, enabled=False)


@app.command()
def resume(mapping: Uuids = None, name: Name = life_cycle.DEFAULT_NAME, root: Root = None) -> None:
    """Enable Kinesis mappings again: each goes on after the last record that it processed."""
    _enable(life_cycle.running(name, root), mapping, enabled=True)


@app.command()
def logs(
    name: Name = life_cycle.DEFAULT_NAME,
    root: Root = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="Of each log.")] = 50,
) -> None:
    """Print the end of the engine's logs."""
    folder = EngineFolder(root or default_root(), name)
    found = sorted(folder.logs.glob("*.log")) if folder.logs.exists() else []
    if not found:
        raise LocalEngineError(f"engine {name} has no logs: start it first")
    for path in found:
        console.rule(str(path), align="left")
        tail = path.read_text(errors="replace").splitlines()[-lines:]
        console.print("\n".join(tail), markup=False)


@app.command()
def apply(
    name: Name = life_cycle.DEFAULT_NAME,
    root: Root = None,
    artifacts: Annotated[Path | None, typer.Option(help="Folder of the zips.")] = None,
) -> None:
    """Apply terraform/envs/local to the running engine."""
    engine = life_cycle.running(name, root)
    zips = (artifacts or project_root() / "dist").resolve()
    with _applying(engine) as (terraform, show):
        deployment = terraform.apply({"artifacts_dir": str(zips)}, show)
    done = "applied" if deployment.was_applied else "unchanged since the last apply"
    console.print(f"{done}; outputs: {engine.folder.outputs}")


@app.command()
def repair(name: Name = life_cycle.DEFAULT_NAME, root: Root = None) -> None:
    """Make everything on the running engine again what was applied last; its data stays."""
    with _applying(life_cycle.running(name, root)) as (terraform, show):
        terraform.repair(show)
    console.print("all is as it was applied last")


@contextmanager
def _applying(engine: Engine) -> Iterator[tuple[Terraform, OnProgress]]:
    """Show a bar while the block applies."""
    with _bar() as bar:
        task = bar.add_task("applying", total=None)

        def show(progress: Progress) -> None:
            bar.update(task, completed=progress.done, total=progress.total)
            bar.console.print(f"{progress.action} {progress.address} ({progress.elapsed_s:.0f} s)")

        yield Terraform(engine, say=bar.console.print), show


def main() -> None:
    """Run the command; an expected error is one line and exit code 1."""
    try:
        app()
    except LocalEngineError as err:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"error: {err}", markup=False)
        sys.exit(1)


def _bar() -> Bar:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    return Bar(*columns, TimeElapsedColumn(), console=console)


def _progress(shard: ShardProgress) -> str:
    done = f"{shard.delivered} done"
    if shard.discarded or shard.lost:
        done += f", {shard.discarded} given up, {shard.lost} expired"
    waiting = f"{shard.buffered} waiting, {shard.in_flight} in flight"
    state = f"BLOCKED: {shard.blocked}" if shard.blocked else shard.last_result
    return f"{done}, {waiting}, age {shard.iterator_age_ms} ms; {state}"


def _enable(engine: life_cycle.Engine, wanted: list[str] | None, *, enabled: bool) -> None:
    known = read_state(engine.folder.mapping_state)
    if unknown := set(wanted or ()) - known.keys():
        there = ", ".join(known) or "none"
        raise LocalEngineError(
            f"no Kinesis mapping {', '.join(sorted(unknown))}: there are {there}"
        )
    for uuid in wanted or known:
        engine.client("lambda").update_event_source_mapping(UUID=uuid, Enabled=enabled)
        console.print(f"mapping {uuid} {'enabled' if enabled else 'disabled'}")


def _print_engine(engine: life_cycle.Engine) -> None:
    console.print(f"engine {engine.name}: {engine.endpoint}, since {engine.started_at}")
    console.print(f"  ministack pid {engine.ministack_pid}, poller pid {engine.poller_pid}")
    console.print(f"  state and logs: {engine.folder.path}")


if __name__ == "__main__":
    main()
