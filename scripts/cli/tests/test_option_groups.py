"""Groups of options: a command takes one value, its user sees each option."""

from dataclasses import dataclass
from typing import Annotated

import pytest
import typer
from typer.testing import CliRunner

from millrace_cli.option_groups import spread

Size = Annotated[int, typer.Option(min=1, help="How large.")]


@dataclass(frozen=True)
class Colour:
    """The inner group."""

    name: Annotated[str, typer.Option("--colour", help="Which colour.")] = "red"


@dataclass(frozen=True)
class Look:
    """The outer group: its first option has no default."""

    size: Size
    colour: Colour


def command_of(seen: list[object]) -> typer.Typer:
    app = typer.Typer()

    @app.command()
    @spread
    def paint(
        what: Annotated[str, typer.Argument()], *, times: int = 1, look: Look, dry: bool = False
    ) -> None:
        """Paint something."""
        seen.append((what, times, look, dry))

    return app


def test_a_group_is_built_of_its_options() -> None:
    """Options of groups in groups reach the command as one value; others are left as they are."""
    seen: list[object] = []
    app = command_of(seen)
    result = CliRunner().invoke(app, ["door", "--size", "3", "--colour", "blue", "--dry"])
    assert result.exit_code == 0, result.output
    CliRunner().invoke(app, ["wall", "--size", "1", "--times", "2"])
    assert seen == [
        ("door", 1, Look(3, Colour("blue")), True),
        ("wall", 2, Look(1, Colour("red")), False),
    ]


def test_options_of_a_group_are_those_of_the_command() -> None:
    """They are checked and explained as if the command declared them, where the group stands."""
    app = command_of([])
    assert CliRunner().invoke(app, ["door"]).exit_code == 2  # --size has no default
    assert CliRunner().invoke(app, ["door", "--size", "0"]).exit_code == 2
    shown = CliRunner().invoke(app, ["--help"]).output
    places = [shown.index(each) for each in ("--times", "--size", "--colour", "--dry")]
    assert places == sorted(places)


def test_an_option_twice_is_refused_when_it_is_declared() -> None:
    """Two groups with an option of the same name are a mistake that no user ever meets."""

    def paint(*, size: Size = 1, look: Look) -> None:
        """Paint something."""

    with pytest.raises(ValueError, match="size"):
        spread(paint)


def test_a_command_without_groups_is_left_alone() -> None:
    """There is nothing to spread: it is the same function."""

    def paint(*, size: Size = 1) -> None:
        """Paint something."""

    assert spread(paint) is paint
