"""The state of the pipeline as numbers, and what of it is not accounted for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from millrace.commit import CommitHead, Stage

_FUNCTIONS_LOG = "ministack.log"  # where the local engine writes what the functions log


@dataclass(frozen=True, slots=True)
class StageCounts:
    """Records and events by stage, summed over commits."""

    received: int = 0
    accepted: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    enriched: int = 0
    aggregated: int = 0
    archived: int = 0
    archive_objects: int = 0
    commits: int = 0
    unfinished_commits: int = 0

    def plus(self, head: CommitHead) -> "StageCounts":
        """Return these counts with one more commit in them."""
        counts = head.counts
        return self + StageCounts(
            received=counts.received,
            accepted=counts.accepted,
            duplicates=counts.duplicates,
            conflicts=counts.conflicts,
            quarantined=counts.quarantined,
            enriched=_marked(head, Stage.ENRICHED, "events"),
            aggregated=_marked(head, Stage.AGGREGATED, "events"),
            archived=_marked(head, Stage.ARCHIVED, "events"),
            archive_objects=_marked(head, Stage.ARCHIVED, "objects"),
            commits=1,
            unfinished_commits=0 if head.finished else 1,
        )

    def __add__(self, other: "StageCounts") -> "StageCounts":
        """Return the sum, count by count."""
        return StageCounts(
            **{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)}
        )

    def __sub__(self, other: "StageCounts") -> "StageCounts":
        """Return what came since `other`, count by count."""
        return StageCounts(
            **{f.name: getattr(self, f.name) - getattr(other, f.name) for f in fields(self)}
        )

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name, in the order of the stages."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


@dataclass(frozen=True, slots=True)
class ShardStatus:
    """How far one shard has come."""

    shard_id: str
    committed_seq: int
    pending_references: int
    waiting: bool
    """Records lie on the shard behind the last committed one."""
    counts: StageCounts
    blocked: str | None = None
    """Why the local engine's mapping stopped reading the shard; None if it did not."""
    unfinished: Mapping[int, StageCounts] = field(default_factory=dict)
    """The counts of each unfinished commit, by its first sequence number."""
    waiting_since: datetime | None = None
    """About when the first record that waits arrived."""
    last_commit_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """Messages in a queue (SQS calls the numbers approximate)."""

    name: str
    visible: int
    in_flight: int

    @property
    def total(self) -> int:
        """All messages in it."""
        return self.visible + self.in_flight


@dataclass(frozen=True, slots=True)
class Gap:
    """Something not accounted for: what, how much, and what to look at."""

    what: str
    count: int
    hint: str
    before_this_run: bool = False

    def __str__(self) -> str:
        """One line for people."""
        origin = ", from before this run" if self.before_this_run else ""
        return f"{self.count:,} {self.what}{origin}; {self.hint}"


@dataclass(frozen=True, slots=True)
class Leftover:
    """What of a status has not come to its end: all of it, or the part of some origin."""

    blocked: tuple[ShardStatus, ...] = ()
    waiting: int = 0
    """Shards with records behind the last committed one."""
    pending_references: int = 0
    dlqs: tuple[QueueDepth, ...] = ()
    discarded: tuple[str, ...] = ()
    """Ids of batches given up that nobody has repaired or abandoned."""
    stages: StageCounts = field(default_factory=StageCounts)
    """Sums over commits; those of finished ones do not matter, as they are whole."""

    def __sub__(self, old: "Leftover") -> "Leftover":
        """Return what is left without `old`."""
        depths = {queue.name: queue.total for queue in old.dlqs}
        known = {shard.shard_id for shard in old.blocked}
        return Leftover(
            blocked=tuple(shard for shard in self.blocked if shard.shard_id not in known),
            waiting=self.waiting - old.waiting,
            pending_references=self.pending_references - old.pending_references,
            dlqs=tuple(
                QueueDepth(queue.name, queue.total - depths.get(queue.name, 0), 0)
                for queue in self.dlqs
            ),
            discarded=tuple(each for each in self.discarded if each not in old.discarded),
            stages=self.stages - old.stages,
        )


@dataclass(frozen=True, slots=True)
class Status:
    """One reading of the whole pipeline."""

    shards: tuple[ShardStatus, ...] = ()
    queues: tuple[QueueDepth, ...] = ()
    dlqs: tuple[QueueDepth, ...] = ()
    logs: Path | None = None
    """The folder of the local engine's logs; None on AWS."""
    discarded: tuple[str, ...] = ()
    """Ids of batches given up that nobody has repaired or abandoned."""
    of_window: bool = False
    """Counts are of a window only; unfinished commits are all there, of any time."""
    totals: StageCounts = field(init=False)

    def __post_init__(self) -> None:
        """Sum the shards once."""
        totals = sum((shard.counts for shard in self.shards), StageCounts())
        object.__setattr__(self, "totals", totals)

    @property
    def pending_references(self) -> int:
        """References that may not have been sent yet."""
        return sum(shard.pending_references for shard in self.shards)

    @property
    def unfinished_commits(self) -> int:
        """Commits that some stage has yet to mark."""
        return self._leftover().stages.unfinished_commits

    @property
    def queued(self) -> int:
        """Messages on their way between stages."""
        return sum(queue.total for queue in self.queues)

    @property
    def dead(self) -> int:
        """Messages in dead-letter queues."""
        return sum(queue.total for queue in self.dlqs)

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """Everything that has not (yet) come to its end; empty when all is accounted for."""
        return self._gaps(self._leftover())

    def gaps_since(self, baseline: "Status") -> tuple[Gap, ...]:
        """Return the gaps that are new since `baseline`, then those that were there, marked."""
        old = self.kept_from(baseline)
        marked = (replace(gap, before_this_run=True) for gap in self._gaps(old))
        return (*self._gaps(self._leftover() - old), *marked)

    def kept_from(self, baseline: "Status") -> Leftover:
        """Return what was unfinished in `baseline` and still is."""
        before = {shard.shard_id: shard for shard in baseline.shards}
        pairs = [(s, before[s.shard_id]) for s in self.shards if s.shard_id in before]
        depths = {queue.name: queue.total for queue in baseline.dlqs}
        commits = (
            counts
            for shard, old in pairs
            for seq, counts in shard.unfinished.items()
            if seq in old.unfinished
        )
        return Leftover(
            blocked=tuple(shard for shard, old in pairs if shard.blocked and old.blocked),
            pending_references=sum(
                shard.pending_references
                for shard, old in pairs
                if shard.committed_seq == old.committed_seq
            ),
            dlqs=tuple(
                QueueDepth(queue.name, min(queue.total, depths.get(queue.name, 0)), 0)
                for queue in self.dlqs
            ),
            discarded=tuple(each for each in self.discarded if each in baseline.discarded),
            stages=sum(commits, StageCounts()),
        )

    def _leftover(self) -> Leftover:
        return Leftover(
            blocked=tuple(shard for shard in self.shards if shard.blocked),
            waiting=sum(shard.waiting and not shard.blocked for shard in self.shards),
            pending_references=self.pending_references,
            dlqs=self.dlqs,
            discarded=self.discarded,
            stages=self._unfinished() if self.of_window else self.totals,
        )

    def _unfinished(self) -> StageCounts:
        each = (counts for shard in self.shards for counts in shard.unfinished.values())
        return sum(each, StageCounts())

    def _gaps(self, left: Leftover) -> tuple[Gap, ...]:
        return tuple(gap for gap in self._candidates(left) if gap.count)

    def _candidates(self, left: Leftover) -> Iterable[Gap]:
        where = f" in {self.logs / _FUNCTIONS_LOG}" if self.logs else ""
        stages, dead = left.stages, sum(queue.total for queue in left.dlqs)
        reasons = "; ".join(_blocked(shard) for shard in left.blocked)
        yield Gap(
            "shards blocked",
            len(left.blocked),
            f"{reasons}{f' (see {self.logs})' if self.logs else ''}",
        )
        yield Gap(
            "shards with records that are not yet received",
            left.waiting,
            f"see ingest's log{where}",
        )
        yield Gap("references pending", left.pending_references, "they go with the next batch")
        yield Gap(
            "messages in dead-letter queues",
            dead,
            f"{_named(left.dlqs)}: `millrace dlq list` says why, `millrace dlq redrive` sends back",
        )
        yield Gap(
            "discarded batches",
            len(left.discarded),
            "`millrace failures list` says how long they can still be repaired",
        )
        for done, name, count in (
            ("enriched", "enrich", stages.enriched),
            ("aggregated", "aggregate", stages.aggregated),
            ("archived", "archive", stages.archived),
        ):
            yield Gap(f"events not yet {done}", stages.accepted - count, f"see {name}'s log{where}")
        yield Gap("commits unfinished", stages.unfinished_commits, "a stage has yet to mark them")

    def as_dict(self) -> dict[str, Any]:
        """Return the status for JSON."""
        return {
            "counts": self.totals.as_dict(),
            "queues": {
                q.name: {"visible": q.visible, "in_flight": q.in_flight} for q in self.queues
            },
            "discarded_batches": list(self.discarded),
            "dead_letter_queues": {q.name: q.total for q in self.dlqs},
            "pending_references": self.pending_references,
            "shards": [_shard_dict(shard) for shard in self.shards],
            "unaccounted": [gap_dict(gap) for gap in self.gaps],
        }


def gap_dict(gap: Gap) -> dict[str, str | int]:
    """Return a gap for JSON."""
    return {"what": gap.what, "count": gap.count, "hint": gap.hint}


def _marked(head: CommitHead, stage: Stage, name: str) -> int:
    mark: Mapping[str, object] = head.marks.get(stage, {})
    return int(str(mark.get(name, 0)))


def _blocked(shard: ShardStatus) -> str:
    return f"{shard.shard_id}: {shard.blocked}"


def _named(queues: Iterable[QueueDepth]) -> str:
    return ", ".join(f"{queue.name} ({queue.total})" for queue in queues if queue.total)


def _shard_dict(shard: ShardStatus) -> dict[str, Any]:
    return {
        "shard": shard.shard_id,
        "committed_sequence": str(shard.committed_seq) if shard.committed_seq >= 0 else None,
        "pending_references": shard.pending_references,
        "waiting": shard.waiting,
        "blocked": shard.blocked,
        "received": shard.counts.received,
    }
