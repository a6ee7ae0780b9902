"""Recovery: patched records that validate go through the front door, and are marked.

Each batch is marked begun, sent, and marked recovered once the stream has taken it. Killed in
between, the same rule finds its begun records and sends them again with the same ids, so that
ingest drops what came through before. Another rule leaves them alone: its events would have other
contents, and so other ids.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

from millrace.clock import Clock
from millrace.event import EventLimits
from millrace.quarantine.marking import change_marks
from millrace.quarantine.marks import CommitMarks, Mark, State
from millrace.quarantine.patching import patched
from millrace.quarantine.ports import FrontDoor, MarkStore, Outgoing, RuleStore
from millrace.quarantine.reading import HeldCommit
from millrace.quarantine.rule import Rule
from millrace.quarantine.selection import Selection

BATCH_EVENTS = 500
"""What one PutRecords takes; also what a crash sends twice at most."""
BATCH_BYTES = 8 * 1024 * 1024


def recoverable(selection: Selection) -> Selection:
    """Return the selection without what is recovered or dropped already."""
    return replace(selection, states=frozenset({State.OPEN, State.BEGUN}))


@dataclass(frozen=True, slots=True)
class Actor:
    """Who recovers or drops, and why."""

    who: str
    reason: str = ""


@dataclass(slots=True)
class Progress:
    """How far a recovery has come; readable at any moment, also after an interruption."""

    selected: int = 0
    sent: int = 0
    """Recovered: taken by the stream, and marked."""
    problems: Counter[str] = field(default_factory=Counter)
    """Records that the rule does not mend; they stay as they are."""
    begun_by_others: Counter[str] = field(default_factory=Counter)
    """Records that a recovery by another rule, named by its hash, has begun and not ended."""


@dataclass(slots=True)
class _Share:
    """The part of a batch that one commit has."""

    marks: CommitMarks
    events: dict[int, Outgoing] = field(default_factory=dict)
    """By line."""


@dataclass(slots=True)
class _Room:
    """What is left of a batch."""

    events: int
    size_bytes: int = BATCH_BYTES
    empty: bool = True

    def takes(self, event: Outgoing) -> bool:
        """Tell whether one more fits; an empty batch takes any."""
        return self.empty or (self.events > 0 and len(event.data) <= self.size_bytes)

    def take(self, event: Outgoing) -> None:
        """Count one more."""
        self.empty = False
        self.events -= 1
        self.size_bytes -= len(event.data)


class Recovery:
    """The use case on one stream."""

    def __init__(
        self,
        marks: MarkStore,
        rules: RuleStore,
        door: FrontDoor,
        clock: Clock,
        limits: EventLimits,
        *,
        batch_events: int = BATCH_EVENTS,
    ) -> None:
        self._marks = marks
        self._rules = rules
        self._door = door
        self._clock = clock
        self._limits = limits
        self._batch_events = batch_events

    def recover(
        self,
        commits: Iterable[HeldCommit],
        rule: Rule,
        actor: Actor,
        progress: Progress,
        tell: Callable[[Progress], None] = lambda _: None,
    ) -> None:
        """Send what the rule mends of the records that are open or begun by it.

        progress: up to date after each batch of 500.
        """
        self._rules.keep(rule)
        for batch in self._batches(commits, rule, progress):
            self._send(batch, rule, actor, progress)
            tell(progress)

    def _batches(
        self, commits: Iterable[HeldCommit], rule: Rule, progress: Progress
    ) -> Iterator[list[_Share]]:
        batch: list[_Share] = []
        room = _Room(self._batch_events)
        for commit in commits:
            share = _Share(commit.marks)
            for line, event in self._mended(commit, rule, progress):
                if not room.takes(event):
                    yield [*batch, share]
                    batch, share, room = [], _Share(commit.marks), _Room(self._batch_events)
                share.events[line] = event
                room.take(event)
            if share.events:
                batch.append(share)
        if batch:
            yield batch

    def _mended(
        self, commit: HeldCommit, rule: Rule, progress: Progress
    ) -> Iterator[tuple[int, Outgoing]]:
        now = self._clock.now()
        for held in commit.held:
            progress.selected += 1
            if held.mark and held.mark.rule_hash != rule.rule_hash:
                progress.begun_by_others[held.mark.rule_hash] += 1
                continue
            outcome = patched(held.record, rule, now, self._limits)
            if outcome.event is None or outcome.data is None:
                progress.problems[str(outcome.problem)] += 1
                continue
            event = Outgoing(held.record.place, outcome.event, outcome.data)
            yield held.record.line, event

    def _send(self, batch: Iterable[_Share], rule: Rule, actor: Actor, progress: Progress) -> None:
        """Mark the batch begun, put it, mark it recovered."""
        begun = [(self._begin(share, rule, actor), share) for share in batch]
        mine = [
            (marks, marks.begun_by(rule.rule_hash, share.events.keys()), share.events)
            for marks, share in begun
        ]
        events = [events[line] for _, lines, events in mine for line in sorted(lines)]
        if not events:
            return
        self._door.put(events)
        for marks, lines, _ in mine:
            ended = self._mark(State.RECOVERED, lines, rule, actor)
            change_marks(self._marks, marks, partial(CommitMarks.recovered, mark=ended))
        progress.sent += len(events)

    def _begin(self, share: _Share, rule: Rule, actor: Actor) -> CommitMarks:
        mark = self._mark(State.BEGUN, frozenset(share.events), rule, actor)
        return change_marks(self._marks, share.marks, partial(CommitMarks.with_mark, mark=mark))[1]

    def _mark(self, state: State, lines: frozenset[int], rule: Rule, actor: Actor) -> Mark:
        at = self._clock.now()
        return Mark(state, lines, at, actor.who, rule.rule_hash, actor.reason)
