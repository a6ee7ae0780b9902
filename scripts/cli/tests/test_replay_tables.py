import pytest

from millrace_cli import replay_tables
from millrace_testing.replays import replay_record


def test_the_ids_of_a_replay_are_whole_in_a_narrow_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Replay and version are what the next commands ask for: other columns fold for them."""
    monkeypatch.setenv("COLUMNS", "80")
    replay_tables.show_replays(
        [replay_record("1795252176-3b051d31", version="1795252176", reason="x" * 80)]
    )
    row = next(line for line in capsys.readouterr().out.splitlines() if "3b051d31" in line)
    assert "1795252176-3b051d31" in row
    assert row.count("1795252176") == 2


def test_a_started_replay_says_how_to_follow_it(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that comes next is printed with the id in it."""
    replay_tables.show_started(replay_record("1795252176-3b051d31"))
    assert "millrace replay status 1795252176-3b051d31" in capsys.readouterr().out
