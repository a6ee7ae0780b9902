"""The configuration page: drift is found, and so is a setting that only one side knows."""

import re

import pytest

from millrace_build import Workspace
from millrace_docs.__main__ import check, write
from millrace_docs.configuration import PAGE, configuration_page
from millrace_docs.errors import DocsError
from millrace_docs.settings import read_settings
from millrace_docs.terraform import read_composition


def replaced(workspace: Workspace, file: str, old: str, new: str) -> None:
    path = workspace.root / "terraform/modules/pipeline" / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_what_is_written_is_in_step(workspace: Workspace, capsys) -> None:
    """After a write the check passes, and a second write changes nothing."""
    (workspace.root / PAGE).unlink()
    write(workspace)
    check(workspace)
    write(workspace)
    assert capsys.readouterr().out.splitlines() == [
        "docs/configuration.md: written",
        "docs/configuration.md is in step with its sources",
        "docs/configuration.md: unchanged",
    ]


def test_drift_fails_with_the_remedy(workspace: Workspace) -> None:
    """A variable explained anew fails the check, which shows the lines and names the command."""
    write(workspace)
    replaced(
        workspace, "variables_functions.tf", "Least level that functions log.", "What is logged."
    )
    with pytest.raises(DocsError) as caught:
        check(workspace)
    assert "run `make docs`" in str(caught.value)
    assert '\n+| `log_level` | `string` | `"INFO"` | What is logged. |' in str(caught.value)


def test_every_setting_and_variable_is_on_the_page(workspace: Workspace) -> None:
    """No setting of a service and no variable of the pipeline is left out."""
    page = configuration_page(workspace)
    variables = read_composition(workspace.root / "terraform/modules/pipeline")
    names = {setting.name for each in read_settings(workspace).values() for setting in each}
    names |= {variable.name for variable in variables}
    assert not [name for name in names if f"\n| `{name}` |" not in page]


def test_defaults_that_a_module_has_are_on_the_page(workspace: Workspace) -> None:
    """Thresholds of alarms are shown with the figures that the alarms' own module has."""
    section = configuration_page(workspace).split("\n### alarms\n")[1].split("\n### ")[0]
    assert "dead_letters        = optional(number)\n" in section
    assert "`terraform/modules/alarms` has the defaults (`thresholds`)" in section
    assert "dead_letters        = optional(number, 1)\n" in section


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "        CACHED_EXPERIMENTS  = tostring(var.assignment_cache.experiments)\n", "",
            "enrich: CACHED_EXPERIMENTS is not set: add it to the function in functions.tf",
        ),
        (
            "        GATE_TABLE ", "        GATE_TABEL ",
            "ingest: no setting reads GATE_TABEL: remove it",
        ),
        (
            "tostring(var.overdue_after_s)", "tostring(var.gate_ttl_days)",
            "watch: OVERDUE_AFTER_S is 300 by default, the variable gate_ttl_days is 30",
        ),
        ("    watch = {", "    clock = {", "clock: no service is called so"),
    ],
    ids=["unset", "unread", "other default", "no function"],
)  # fmt: skip
def test_a_disagreement_is_named(workspace: Workspace, old: str, new: str, fault: str) -> None:
    """What a function is told and what its service reads cannot differ unnoticed."""
    replaced(workspace, "functions.tf", old, new)
    with pytest.raises(DocsError, match=re.escape(fault)):
        configuration_page(workspace)
