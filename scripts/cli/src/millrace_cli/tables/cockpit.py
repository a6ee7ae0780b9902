"""The cockpit for a person: what is wrong, the worst first; then what was checked."""

from datetime import datetime

from rich.console import Console
from rich.markup import escape

from millrace.investigate.cockpit.commands import Commands
from millrace.investigate.cockpit.findings import Finding, Severity, ago, ranked
from millrace.investigate.cockpit.telling import Inspection
from millrace.times import format_ms
from millrace_cli.tables.shapes import folding, text

_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.ERROR: "red",
    Severity.WARNING: "yellow",
    Severity.INFO: "cyan",
}


def show_inspection(console: Console, seen: Inspection, commands: Commands, now: datetime) -> None:
    """Print findings in lines, as commands are copied from them, then what was checked."""
    found = ranked(seen.checks)
    for name, finding in found:
        _show(console, name, finding, commands, now)
    wrong = sum(finding.severity < Severity.INFO for _, finding in found)
    if not seen.complete:
        console.print(
            "[yellow]The window was not read to its end.[/yellow] Allow more (--max-pages, "
            "--deadline), or ask for less (--since)"
        )
    if wrong:
        console.print(f"[red]{wrong:,} things are wrong[/red], of {len(seen.checks)} checks:")
    elif found:
        console.print(f"Nothing is wrong so far; {len(found):,} things are on their way:")
    elif seen.complete:
        console.print("[green]All is well.[/green] Checked:")
    checked = folding("check", "looked at", "found", right=("found",))
    for check in seen.checks:
        checked.add_row(
            check.name.replace("_", " "), text(check.looked_at), f"{len(check.findings):,}"
        )
    console.print(checked)


def _show(console: Console, name: str, finding: Finding, commands: Commands, now: datetime) -> None:
    style = _STYLES[finding.severity]
    console.print(
        f"[{style}]{finding.severity.name}[/{style}] {name.replace('_', ' ')}: "
        f"{escape(finding.what)}"
    )
    if finding.why:
        console.print(f"   {finding.why}", markup=False)
    if finding.since:
        console.print(f"   since {format_ms(finding.since)} ({ago(now, finding.since)})")
    console.print(f"   look: {commands.of(finding.look)}", markup=False)
    if finding.fix:
        console.print(f"   fix:  {commands.of(finding.fix)}", markup=False)
