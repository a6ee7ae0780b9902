"""Dead letters written down as NDJSON; a purge writes them down before it deletes them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import orjson

from millrace.clock import Clock
from millrace.dlq.letter import Letter
from millrace.dlq.looking import HOLD_S, Looking, Seen, Tell
from millrace.dlq.notes import Notes
from millrace.dlq.ports import DeadLetters
from millrace.dlq.selection import Selection
from millrace.dlq.sweep import Sweep
from millrace.times import format_ms

_WINDOW = 500


class Sink(Protocol):
    """Where lines go."""

    def write(self, lines: Sequence[bytes]) -> None:
        """Keep the lines; when this returns, no crash loses them."""
        ...


def fields_of(seen: Seen, queue: str) -> dict[str, Any]:
    """Return a dead letter for JSON: all that is needed to send it again by other means."""
    letter, note = seen.letter, seen.note
    return {
        "queue": queue,
        "message_id": letter.message_id,
        "sent_at": format_ms(letter.sent_at),
        "receives": letter.receives,
        "error": seen.label,
        "detail": note.detail if note else "",
        "failed_at": format_ms(note.at) if note else None,
        "request_id": note.request_id if note else None,
        **letter.about,
        "body": letter.body,
        "attributes": _plain(letter.attributes),
    }


@dataclass(frozen=True, slots=True)
class Leaving:
    """Export and purge of one dead-letter queue."""

    letters: DeadLetters
    notes: Notes
    clock: Clock

    def export(self, selection: Selection, sink: Sink, tell: Tell = lambda _: None) -> int:
        """Write down what the selection means; nothing leaves the queue. Returns: how many."""
        return self._through(selection, sink, tell, lambda _: 0)

    def purge(self, selection: Selection, sink: Sink, tell: Tell = lambda _: None) -> int:
        """Write down and delete what the selection means and was there before this began.

        Returns: how many are gone. What could not be deleted stays, and is in the export too.
        """
        return self._through(selection, sink, tell, self.letters.delete)

    def _through(
        self,
        selection: Selection,
        sink: Sink,
        tell: Tell,
        then: Callable[[Sequence[Letter]], int],
    ) -> int:
        looking = Looking(self.letters, self.notes, self.clock)
        sweep, started, done = Sweep(self.letters, HOLD_S), self.clock.now(), 0
        try:
            while window := sweep.take(_WINDOW):
                seen = looking.seen(window)
                meant = [
                    each
                    for each in seen
                    if selection.takes(each.letter, each.label, started)
                    and each.letter.sent_at < started
                ]
                if selection.limit is not None:
                    meant = meant[: selection.limit - done]
                sweep.keep(window)
                if meant:
                    sink.write(
                        [orjson.dumps(fields_of(each, self.letters.queue)) for each in meant]
                    )
                    done += len(meant) - then([each.letter for each in meant])
                tell(done)
                if selection.limit is not None and done >= selection.limit:
                    break
        finally:
            sweep.give_back()
        return done


def _plain(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return message attributes with bytes as hexadecimal digits."""
    return {
        name: {
            key: value.hex() if isinstance(value, bytes) else value for key, value in each.items()
        }
        for name, each in attributes.items()
    }
