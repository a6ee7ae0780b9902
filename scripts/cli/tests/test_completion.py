"""Completion in bash, zsh and fish: the scripts that the command prints, and their answers."""

import subprocess
import sys
from pathlib import Path

import pytest

MILLRACE = Path(sys.executable).with_name("millrace")


def run(command: list[str], **variables: str) -> str:
    done = subprocess.run(
        command,
        env={"PATH": f"{MILLRACE.parent}:/usr/bin:/bin", **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def script(shell: str) -> str:
    """Return what `millrace --show-completion` prints in that shell."""
    return run([str(MILLRACE)], _MILLRACE_COMPLETE=f"source_{shell}")


def test_bash_completes_commands_and_options() -> None:
    """Bash itself evaluates the script and asks it, as when TAB is pressed."""
    press = "_millrace_completion millrace; echo ${COMPREPLY[@]}"
    ask = (
        'eval "$1"; complete -p millrace; '
        f"COMP_WORDS=(millrace ar); COMP_CWORD=1; {press}; "
        f"COMP_WORDS=(millrace put x --dry); COMP_CWORD=3; {press}; "
        f"COMP_WORDS=(millrace archive l); COMP_CWORD=2; {press}"
    )
    answered = run(["bash", "-c", ask, "bash", script("bash")]).splitlines()
    assert answered[0].endswith("millrace")
    assert answered[1:] == ["archive", "--dry-run", "ls"]


@pytest.mark.parametrize(
    ("shell", "variables"),
    [
        ("zsh", {"_TYPER_COMPLETE_ARGS": "millrace st"}),
        ("fish", {"_TYPER_COMPLETE_ARGS": "millrace st",
                  "_TYPER_COMPLETE_FISH_ACTION": "get-args"}),
    ],
)  # fmt: skip
def test_zsh_and_fish_are_answered_in_their_own_protocol(
    shell: str, variables: dict[str, str]
) -> None:
    """The script of each asks the command so, and it answers with both commands and no other."""
    printed = script(shell)
    assert f"_MILLRACE_COMPLETE=complete_{shell}" in printed
    assert all(name in printed for name in variables)
    answered = run([str(MILLRACE)], _MILLRACE_COMPLETE=f"complete_{shell}", **variables)
    assert "stop" in answered
    assert "status" in answered
    assert "archive" not in answered


def test_the_options_are_offered() -> None:
    """Both ways to get it are named by --help."""
    shown = run([str(MILLRACE), "--help"])
    assert "--install-completion" in shown
    assert "--show-completion" in shown
