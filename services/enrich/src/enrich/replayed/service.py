"""Enrich a batch of replayed events: raw lines in, one listed object for aggregate out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from enrich.attaching import attached
from enrich.ports import Assignments, Experiments
from enrich.replayed.deliveries import Delivery, ReplayBatch, Skip, SkipReason, batches_of
from enrich.replayed.known import KnownReplays
from enrich.replayed.reading import (
    Member,
    ReadEvent,
    by_member,
    events_in,
    object_id,
    unsound,
)
from enrich.stamp import DEFS_VERSION
from millrace.clock import Clock
from millrace.errors import MillraceError, ObjectMissing, RetryableError
from millrace.keys import replay_enriched_key
from millrace.ports import MessageQueue, Objects
from millrace.raw_lines import pack
from millrace.replay.ports import ProcessorLedger
from millrace.replay.progress import ProcessedObject, place_hash
from millrace.replay.record import Replay, ReplayState
from millrace.replay.reference import ReplayReference
from millrace.times import to_epoch_ms

OBJECT_BYTES = 8_000_000
"""Raw bytes after which an object is closed: memory stays flat however large a batch is."""


@dataclass(slots=True)
class Outcome:
    """What one call did with a batch, message by message where they differ."""

    events: int = 0
    """Distinct events in the objects that stand; of all attempts together each may be there more
    than once."""
    objects: int = 0
    dry_events: int = 0
    """Those of `events` that belong to a dry run: aggregate does not hear of them."""
    cancelled: int = 0
    skips: list[Skip] = field(default_factory=list)
    failed: dict[str, Exception] = field(default_factory=dict)
    """Why messages failed, by message id; SQS delivers them again."""


@dataclass(frozen=True, slots=True)
class EnrichReplayed:
    """The use case. Every effect may be repeated, in whatever company a message comes again.

    The order of effects: (1) what is skipped is listed; (2) the object is put, under a name made
    of the events in it, if it is not there; (3) it is listed with the places of its events;
    (4) aggregate is sent a reference to it; (5) SQS deletes the messages, since none of them is
    reported as failed. After a crash the messages come again, perhaps grouped otherwise:
    - before (2), nothing was done;
    - between (2) and (3) an object stands that nobody is told of, and expires. The same group
      finds it and goes on from there; another group makes an object of its own;
    - between (3) and (4) an object is listed that may never be counted. Its places are listed
      again with the object that is, and progress counts places, not objects;
    - between (4) and (5) the events are referred to twice, and aggregate counts each once under
      its version, by a marker of its own.
    Listing comes before sending because aggregate marks what is listed.
    """

    ledger: ProcessorLedger
    replays: KnownReplays
    objects: Objects
    bucket: str
    """The one that `objects` reads: messages name it."""
    experiments: Experiments
    assignments: Assignments
    aggregate_queue: MessageQueue
    clock: Clock
    object_bytes: int = OBJECT_BYTES

    def enrich(self, bodies: Mapping[str, str]) -> Outcome:
        """Enrich the events that messages name; `bodies` are given by message id.

        A message that can never be followed is skipped, not failed; one that fails stops no other
        member, object or replay. Nothing goes to the archive or into the event index: there the
        events are already.
        """
        outcome = Outcome()
        for batch in batches_of(bodies):
            _attempt(outcome, batch.message_ids, partial(self._replay, batch, outcome))
            self._note_pressure(batch, outcome)
        return outcome

    def _replay(self, batch: ReplayBatch, outcome: Outcome) -> None:
        replay = self.replays.get(batch.replay_id) if batch.replay_id else None
        if replay is None:
            outcome.skips += batch.malformed
            outcome.skips += [
                Skip.of(each, SkipReason.UNKNOWN_REPLAY, f"there is no replay {batch.replay_id}")
                for each in batch.deliveries
            ]
        elif replay.state is ReplayState.CANCELLED:
            outcome.cancelled += len(batch.message_ids)
        else:
            verdicts = [unsound(each, replay, self.bucket) for each in batch.deliveries]
            self._skip([*batch.malformed, *filter(None, verdicts)], outcome)
            sound = [
                each
                for each, verdict in zip(batch.deliveries, verdicts, strict=True)
                if verdict is None
            ]
            self._events(replay, sound, outcome)

    def _events(self, replay: Replay, sound: Iterable[Delivery], outcome: Outcome) -> None:
        """Read member by member, and finish an object whenever enough of them are read."""
        read: list[ReadEvent] = []
        size = 0
        for member, wanted in by_member(sound).items():
            found = self._read(member, wanted, outcome)
            read += found
            size += sum(len(each.event.line) for each in found)
            if size >= self.object_bytes:
                self._try_to_finish(replay, read, outcome)
                read, size = [], 0
        self._try_to_finish(replay, read, outcome)

    def _read(
        self, member: Member, wanted: Sequence[Delivery], outcome: Outcome
    ) -> list[ReadEvent]:
        found: list[ReadEvent] = []

        def fetch() -> None:
            try:
                body = self.objects.get_range(*member)
            except ObjectMissing as err:
                skips = [Skip.of(each, SkipReason.OBJECT_MISSING, str(err)) for each in wanted]
            else:
                events, skips = events_in(body, wanted)
                found.extend(events)
            self._skip(skips, outcome)

        _attempt(outcome, [each.message_id for each in wanted], fetch)
        return found

    def _skip(self, skips: Iterable[Skip], outcome: Outcome) -> None:
        for each in skips:
            _attempt(outcome, [each.message_id], partial(self._list_skip, each, outcome))

    def _list_skip(self, skip: Skip, outcome: Outcome) -> None:
        listed = skip.listed
        if listed is not None:
            self.ledger.skip(skip.replay_id, listed)
        outcome.skips.append(skip)

    def _try_to_finish(self, replay: Replay, read: list[ReadEvent], outcome: Outcome) -> None:
        if read:
            message_ids = [each.delivery.message_id for each in read]
            _attempt(outcome, message_ids, partial(self._finish, replay, read, outcome))

    def _finish(self, replay: Replay, read: list[ReadEvent], outcome: Outcome) -> None:
        """Put the object of these events, list it, and refer aggregate to it."""
        once = {each.place: each for each in read}
        name = object_id(once, replay.defs_version)
        key = replay_enriched_key(replay.replay_id, name)
        self._put(key, replay, once.values())
        places = frozenset(map(place_hash, once))
        self.ledger.list_object(replay.replay_id, ProcessedObject(name, key, places, counted=False))
        if not replay.dry_run:
            correlation_id = read[0].delivery.message.correlation_id
            self.aggregate_queue.send(
                ReplayReference(
                    replay.replay_id, replay.version, name, key, replay.defs_version, correlation_id
                ).to_json()
            )
        outcome.events += len(once)
        outcome.objects += 1
        outcome.dry_events += len(once) if replay.dry_run else 0

    def _put(self, key: str, replay: Replay, read: Iterable[ReadEvent]) -> None:
        """Write the object once; if another attempt was first, its rows stand: the same events."""
        rows, _ = attached(
            [each.row(replay.defs_version) for each in read], self.assignments, self.experiments
        )
        body = pack([row.to_line() for row in rows]).body
        self.objects.put_new(key, body, metadata={DEFS_VERSION: replay.defs_version})

    def _note_pressure(self, batch: ReplayBatch, outcome: Outcome) -> None:
        """Tell the sender that something gave way; if even that fails, the failure stands alone."""
        failures = [outcome.failed.get(each) for each in batch.message_ids]
        if batch.replay_id and any(isinstance(each, RetryableError) for each in failures):
            with suppress(MillraceError):
                self.ledger.note_pressure(batch.replay_id, to_epoch_ms(self.clock.now()))


def _attempt(outcome: Outcome, message_ids: Iterable[str], step: Callable[[], None]) -> None:
    """Take one step for some messages; if it fails, they fail, and no other."""
    try:
        step()
    except Exception as err:  # noqa: BLE001 - the batch's loop: it fails these messages alone
        outcome.failed |= dict.fromkeys(message_ids, err)
