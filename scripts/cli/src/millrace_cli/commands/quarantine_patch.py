"""`millrace quarantine patch`: what a rule would make of the records that are chosen."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from millrace.clock import SystemClock
from millrace.quarantine.patching import preview
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import RuleOptions
from millrace.quarantine.selection import Selection
from millrace_cli import quarantine_tables, render
from millrace_cli.options import AsJson, Target
from millrace_cli.quarantine import Quarantines, preview_fields, quarantined
from millrace_cli.quarantine_options import Mendable
from millrace_cli.reporting import print_json, reported


@dataclass(frozen=True, slots=True)
class RuleParts:
    """The options that a rule is made of."""

    rename: Annotated[list[str] | None, typer.Option(metavar="OLD=NEW", help="Move a field.")] = (
        None
    )
    set_: Annotated[
        list[str] | None, typer.Option("--set", metavar="PATH=VALUE", help="Put a value (JSON).")
    ] = None
    default: Annotated[
        list[str] | None, typer.Option(metavar="PATH=VALUE", help="Put it where none is.")
    ] = None
    cast: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATH=TYPE", help="int, float, string, bool or timestamp[:FORMAT[@ZONE]]."
        ),
    ] = None
    drop: Annotated[list[str] | None, typer.Option(metavar="PATH", help="Take it away.")] = None
    decode: Annotated[
        str | None, typer.Option(help="What the bytes are, if not UTF-8: latin-1 or cp1252.")
    ] = None

    def options(self) -> RuleOptions:
        """Return them for the rule to be made of."""
        ways = (self.rename, self.set_, self.default, self.cast, self.drop)
        return RuleOptions(self.decode, *(tuple(each or ()) for each in ways))


@reported
def patch_command(
    rule_file: Annotated[
        str | None, typer.Argument(metavar="[RULE]", help="Its file, or the hash of a used one.")
    ] = None,
    *,
    parts: RuleParts,
    as_is: Annotated[bool, typer.Option("--as-is", help="Change nothing: judge anew.")] = False,
    save: Annotated[
        Path | None, typer.Option(help="Write the rule to this file, for `recover --rule`.")
    ] = None,
    examples: Annotated[
        int, typer.Option(min=0, help="Examples to show of each reason and each outcome.")
    ] = 1,
    mendable: Mendable,
    as_json: AsJson = False,
    target: Target,
) -> None:
    """Try a rule: before, after, would it validate now, how many of all. Nothing is sent.

    Options are applied in this order: rename, set, default, cast, drop; a file says its own.
    """
    with quarantined("try the rule"):
        selection = mendable.selection(SystemClock().now())
        quarantines = Quarantines.of(target.load())
        rule = quarantines.rule(rule_file, parts.options(), as_is=as_is)
        show_preview(quarantines, selection, rule, examples, as_json=as_json)
        if save is not None:
            save.write_bytes(rule.canonical + b"\n")


def show_preview(
    quarantines: Quarantines, selection: Selection, rule: Rule, examples: int, *, as_json: bool
) -> None:
    """Print what a rule would make of the selected records.

    Raises:
        CommandError: ingest's limits cannot be read.
    """
    with render.working("judging"):
        held = quarantines.quarantine.records(selection)
        found = preview(held, rule, SystemClock().now(), quarantines.limits(), examples)
    if as_json:
        print_json(preview_fields(found))
    else:
        quarantine_tables.show_preview(found)
