"""What every dead-letter queue and every place for notes promises: `millrace.dlq`."""

from dataclasses import replace
from datetime import UTC, datetime

from millrace.dlq.letter import Letter
from millrace.dlq.notes import Note, Notes, Outcome
from millrace.dlq.ports import DeadLetters

NOTE = Note(
    queue="test-aggregate",
    body_hash="0" * 32,
    outcome=Outcome.FAILED,
    at=datetime(2025, 12, 28, 9, 30, tzinfo=UTC),
    request_id="request-1",
    receives=5,
    error="ConfigError",
    detail="UpdateItem: not allowed",
)


class DeadLettersContract:
    """Subclasses provide the fixture `letters`: a queue that holds `one` to `twelve`."""

    def test_a_message_that_is_held_is_received_by_nobody_else(self, letters: DeadLetters) -> None:
        """Each once, ten at most at a time; then none is free, and none is gone."""
        found = [*letters.receive(10, 60), *letters.receive(10, 60)]
        assert len({each.message_id for each in found}) == len(found) == 12
        assert letters.receive(10, 60) == []
        assert letters.depth().total == 12

    def test_a_message_that_is_given_back_comes_again(self, letters: DeadLetters) -> None:
        """As the same message, received once more."""
        (first,) = letters.receive(1, 60)
        letters.hold([first], 0)
        found = {each.message_id: each for each in _all(letters)}
        assert len(found) == 12
        assert found[first.message_id].receives == first.receives + 1

    def test_what_is_deleted_is_gone(self, letters: DeadLetters) -> None:
        """And it says so."""
        (first, *rest) = _all(letters)
        assert letters.delete([first]) == 0
        letters.hold(rest, 0)
        assert first.message_id not in {each.message_id for each in _all(letters)}

    def test_what_cannot_be_deleted_is_counted(self, letters: DeadLetters) -> None:
        """A receipt that is none deletes nothing, and stops no other."""
        (first, *rest) = _all(letters)
        assert letters.delete([replace(first, receipt="none"), rest[0]]) == 1
        assert letters.depth().total == 11


class NotesContract:
    """Subclasses provide the fixture `notes`: an empty place."""

    def test_a_note_comes_back_as_it_was(self, notes: Notes) -> None:
        """Every field of it, under its queue and its body."""
        notes.write([NOTE])
        other = "1" * 32
        assert notes.read(NOTE.queue, {NOTE.body_hash, other}) == {NOTE.body_hash: NOTE}
        assert notes.read("test-archive", {NOTE.body_hash}) == {}

    def test_the_last_note_stands(self, notes: Notes) -> None:
        """Also within one call."""
        canary = replace(NOTE, outcome=Outcome.DONE, canary="c")
        notes.write([NOTE])
        notes.write([replace(NOTE, detail="another"), canary])
        assert notes.read(NOTE.queue, {NOTE.body_hash}) == {NOTE.body_hash: canary}


def _all(letters: DeadLetters) -> list[Letter]:
    found: list[Letter] = []
    while some := letters.receive(10, 60):
        found += some
    return found
