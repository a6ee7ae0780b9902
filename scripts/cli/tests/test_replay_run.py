from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from millrace.replay.operations import ReplayStatus
from millrace.replay.progress import Progress
from millrace.replay.record import ReplayState
from millrace_cli.commands.replay_run import ended_well, followed
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.replay import Replays
from millrace_testing.replays import REPLAY_ID, replay_record


def replays(status: Callable[[str], ReplayStatus]) -> Replays:
    return cast("Any", SimpleNamespace(operations=SimpleNamespace(status=status)))


def test_who_has_seen_enough_is_told_how_to_go_on() -> None:
    """Ctrl-C ends the watching alone: the message names what follows, and what ends the replay."""

    def interrupted(_: str) -> ReplayStatus:
        raise KeyboardInterrupt

    with pytest.raises(CommandError, match=f"replay {REPLAY_ID} goes on") as caught:
        followed(replays(interrupted), REPLAY_ID, quiet=True)
    assert caught.value.code is ExitCode.INTERRUPTED
    for command in ("wait", "cancel"):
        assert f"`millrace replay {command} {REPLAY_ID}`" in caught.value.remedy


def test_a_replay_that_will_never_be_complete_is_an_error() -> None:
    """A script must not take a cancelled replay for a compared one."""
    ended = ReplayStatus(replay_record(state=ReplayState.CANCELLED), Progress(0, 0, 0), (), ())
    assert followed(replays(lambda _: ended), REPLAY_ID, quiet=True) is ended
    with pytest.raises(CommandError, match="is cancelled"):
        ended_well(ended)
