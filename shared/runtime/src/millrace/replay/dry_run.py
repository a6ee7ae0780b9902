"""What a dry run would have written: its enriched events, counted as aggregate counts them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from millrace.aggregates import AggregateKey, Version
from millrace.counting.deltas import Delta, contributions
from millrace.counting.rows import rows_of
from millrace.definitions import Definitions
from millrace.enriched import EnrichedEvent
from millrace.errors import MillraceError, ObjectMissing
from millrace.identity import gate_key
from millrace.keys import definitions_key
from millrace.ports import Objects
from millrace.raw_lines import unpack
from millrace.replay.ports import ReplayLedger
from millrace.replay.record import Replay, ReplayState
from millrace.times import to_epoch_ms

Parse = Callable[[bytes, str], Definitions]
Told = Callable[[int], None]
"""Is told how many events were counted so far."""


class NoReport(MillraceError):
    """There is nothing to report of this replay; says why and what to do."""


@dataclass(frozen=True, slots=True)
class WouldBe:
    """One row that would have been written under the replay's version."""

    key: AggregateKey
    delta: Delta


@dataclass(slots=True)
class _Count:
    """Rows so far: each event once, each entity of a unique row once."""

    version: Version
    deltas: dict[AggregateKey, Delta] = field(default_factory=dict)
    entities: dict[AggregateKey, set[str]] = field(default_factory=dict)
    seen: set[tuple[bytes, int]] = field(default_factory=set)

    def take(self, events: list[EnrichedEvent], definitions: Definitions) -> None:
        """Add events that were not added yet: an event may be in several objects."""
        new = [event for event in events if self._is_new(event)]
        adds = contributions(new, definitions, self.version)
        for key, delta in adds.deltas.items():
            there = self.deltas.get(key)
            self.deltas[key] = there.plus(delta) if there else delta
        for marker in adds.markers:
            self.entities.setdefault(marker.key, set()).add(marker.entity_id)

    def _is_new(self, event: EnrichedEvent) -> bool:
        # What aggregate marks a replayed event by: source, id and arrival.
        unit = gate_key(event.source, event.event_id), to_epoch_ms(event.arrival_time)
        if unit in self.seen:
            return False
        self.seen.add(unit)
        return True

    def rows(self) -> Iterator[WouldBe]:
        """Yield the rows in order of scope, window and metric."""
        for key in sorted(self.deltas):
            delta = self.deltas[key]
            if key in self.entities:
                delta = Delta(
                    len(self.entities[key]),
                    delta.event_count,
                    delta.input_hash,
                    delta.sample_event_ids,
                )
            yield WouldBe(key, delta)


@dataclass(frozen=True, slots=True)
class DryRuns:
    """The use case, over its ports."""

    ledger: ReplayLedger
    objects: Objects
    parse: Parse

    def report(self, replay_id: str, tell: Told = lambda _: None) -> Iterator[WouldBe]:
        """Yield the rows that a dry run would have written; nothing is written.

        All rows are in memory, and 70 bytes or so for each event.

        Raises:
            UnknownReplay: there is none.
            NoReport: it is no dry run, has not ended, or its enriched objects have expired.
            ConfigError, RetryableError: the table or the bucket cannot be read.
        """
        replay = self.ledger.replay(replay_id)
        _check(replay)
        count, known = _Count(replay.version), dict[str, Definitions]()
        for made in self.ledger.objects(replay_id):
            events = list(rows_of(unpack(self._body(made.key))).events)
            if events:
                version = events[0].defs_version  # enrich stamps an object with one
                known[version] = known.get(version) or self._definitions(version)
                count.take(events, known[version])
                tell(len(count.seen))
        yield from count.rows()

    def _body(self, key: str) -> bytes:
        try:
            return self.objects.get(key)
        except ObjectMissing as err:
            raise NoReport(
                f"its enriched object {key} has expired; apply the plan with --dry-run --again"
            ) from err

    def _definitions(self, version: str) -> Definitions:
        key = definitions_key(version)
        return self.parse(self.objects.get(key), key)


def _check(replay: Replay) -> None:
    if not replay.dry_run:
        raise NoReport(
            "it was no dry run: what it wrote is in the aggregates, and diff compares it with live"
        )
    if replay.state is not ReplayState.COMPLETED:
        raise NoReport(f"it is {replay.state.value}; look once it is completed")
