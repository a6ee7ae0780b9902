"""What fails in a random schedule: reads, destinations and the function, drawn from its seed."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from millrace_mapping.core.effects import ReadFault
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.retrying import Batch
from millrace_mapping.core.settings import MappingSettings
from millrace_mapping.simulation.roles import Attempt

_POISON = 29  # one record in so many can never be processed
NO_ITEMS = b'{"batchItemFailures": []}'


@dataclass(frozen=True, slots=True)
class Spell:
    """A time during which something fails."""

    begins: float
    ends: float

    def covers(self, now: float) -> bool:
        """Tell whether it is on."""
        return self.begins <= now < self.ends


@dataclass(slots=True)
class SeededWeather:
    """Throttled and failing reads, expired iterators and a destination that is away at times."""

    draw: Random
    reads: list[Spell]
    destination: list[Spell]
    rain: float

    def read_fault(self, now: float) -> ReadFault | None:
        """Return why a read fails now; None if it does not."""
        if any(spell.covers(now) for spell in self.reads):
            return ReadFault.UNAVAILABLE
        if self.draw.random() >= self.rain:
            return None
        return self.draw.choice((ReadFault.THROTTLED, ReadFault.EXPIRED, ReadFault.UNAVAILABLE))

    def destination_fault(self, now: float) -> str | None:
        """Return why a delivery fails now; None if it does not."""
        return "away" if any(spell.covers(now) for spell in self.destination) else None


@dataclass(slots=True)
class SeededFunction:
    """Fails on poison, in outages and now and then; answers in every documented way."""

    draw: Random
    settings: MappingSettings
    outages: list[Spell]
    throttles: list[Spell]
    flakiness: float
    """How likely an invocation is to fail for no reason."""

    def invoke(self, shard_id: str, batch: Batch, now: float) -> Attempt:
        """Return what comes of invoking it with the batch."""
        del shard_id
        duration_s = self.draw.choice((0.02, 0.3, 2.0, 15.0))
        if any(spell.covers(now) for spell in self.throttles):
            return Attempt(None, 0, 0.02)
        if any(spell.covers(now) for spell in self.outages):
            return Attempt(Answer(b"", "Sandbox.Timedout"), 0, duration_s)
        sequences = [record.sequence for record in batch.records]
        bad = [n for n, sequence in enumerate(sequences) if int(sequence) % _POISON == 0]
        if not bad and self.draw.random() < self.flakiness:
            bad = [self.draw.randrange(len(sequences))]
        if not bad:
            return Attempt(
                Answer(self.draw.choice((NO_ITEMS, b"null", b"{}"))), len(sequences), duration_s
            )
        return self._failed(sequences, bad, duration_s)

    def _failed(self, sequences: list[str], bad: list[int], duration_s: float) -> Attempt:
        how = self.draw.random()
        if not self.settings.reports_item_failures or how < 0.4:
            return Attempt(Answer(b"", "ValueError"), 0, duration_s)
        if how < 0.5:
            identifier = self.draw.choice(("", None, "not of this batch", 7))
            failures = [{"itemIdentifier": identifier}]
            return Attempt(Answer(_failures(failures)), 0, duration_s)
        self.draw.shuffle(bad)
        failures = [{"itemIdentifier": sequences[n]} for n in bad]
        return Attempt(Answer(_failures(failures)), min(bad), duration_s)


def _failures(failures: Sequence[Mapping[str, object]]) -> bytes:
    return json.dumps({"batchItemFailures": failures}).encode()
