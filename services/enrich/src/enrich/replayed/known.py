"""Replays by id, read again every few seconds: a cancelled one is soon heard of."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from enrich.cache import ReadThrough
from millrace.clock import Clock
from millrace.replay.errors import UnknownReplay
from millrace.replay.ports import ProcessorLedger
from millrace.replay.record import Replay

TTL = timedelta(seconds=5)
_AT_MOST = 100


class KnownReplays:
    """The replays that messages name. One that is not there is looked for every time."""

    def __init__(self, ledger: ProcessorLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._kept: ReadThrough[Replay] = ReadThrough(
            self._read, clock, ttl=TTL, absent_ttl=timedelta(0), at_most=_AT_MOST
        )

    def get(self, replay_id: str) -> Replay | None:
        """Return a replay, at most five seconds old, or None if there is none of that id.

        Raises:
            RetryableError, ConfigError: the table cannot be read now, or not at all.
        """
        return self._kept.of([replay_id]).get(replay_id)

    def _read(self, replay_ids: Sequence[str]) -> Mapping[str, Replay]:
        found: dict[str, Replay] = {}
        for each in replay_ids:
            try:
                found[each] = self._ledger.replay(each)
            except UnknownReplay:
                continue
        return found
