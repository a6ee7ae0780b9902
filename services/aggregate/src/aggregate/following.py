"""What aggregate tells a replay of its events: counted, or that something gave way."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from millrace.clock import Clock
from millrace.errors import MillraceError
from millrace.replay.ports import ProcessorLedger
from millrace.replay.reference import ReplayReference
from millrace.times import to_epoch_ms


@dataclass(frozen=True, slots=True)
class ReplayFollower:
    """Writes the progress of replays."""

    ledger: ProcessorLedger
    clock: Clock

    def note_counted(self, reference: ReplayReference) -> None:
        """Note that every event of an object is counted; again, if it is noted already.

        Raises:
            RetryableError, ConfigError: it is not noted; the same reference has to come again.
        """
        at_ms = to_epoch_ms(self.clock.now())
        self.ledger.mark_counted(reference.replay_id, reference.object_id, at_ms)

    def note_pressure(self, references: Iterable[ReplayReference]) -> None:
        """Have the senders of these replays slow down; if even that fails, they go on as before."""
        at_ms = to_epoch_ms(self.clock.now())
        for replay_id in {each.replay_id for each in references}:
            with suppress(MillraceError):
                self.ledger.note_pressure(replay_id, at_ms)
