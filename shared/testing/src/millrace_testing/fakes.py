"""Ports in memory. They pass the same contract suites as the AWS adapters."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from millrace.audit import AuditEntry
from millrace.commit import Checkpoint, Commit, CommitHead, SeqRange, ShardKey, Stage
from millrace.errors import CommitMissing, ObjectMissing
from millrace.index import BUCKETS, IndexPage, PagePlace


class FixedClock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Return the set time."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move the clock on."""
        self.at += by


class FakeObjects:
    """`millrace.ports.Objects` in a dictionary."""

    def __init__(self) -> None:
        self.bodies: dict[str, bytes] = {}
        self.metadata: dict[str, Mapping[str, str]] = {}
        self.tags: dict[str, Mapping[str, str]] = {}

    def put_new(
        self,
        key: str,
        body: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> bool:
        """Write `body` under `key` if nothing is there; return whether this call wrote it."""
        if key in self.bodies:
            return False
        self.bodies[key] = body
        self.metadata[key] = dict(metadata or {})
        self.tags[key] = dict(tags or {})
        return True

    def get(self, key: str) -> bytes:
        """Return the object's bytes; raise ObjectMissing if there is none."""
        if key not in self.bodies:
            raise ObjectMissing(key)
        return self.bodies[key]

    def get_range(self, key: str, offset: int, length: int) -> bytes:
        """Return `length` bytes from `offset`; raise ObjectMissing if there is no object."""
        return self.get(key)[offset : offset + length]

    def keys(self, prefix: str = "") -> list[str]:
        """Return the keys that start with `prefix`, sorted."""
        return sorted(key for key in self.bodies if key.startswith(prefix))


class FakeQueue:
    """`millrace.ports.MessageQueue` that keeps what it was sent."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.delays_s: list[int] = []
        """Of each message in `sent`."""

    def send(self, body: str, *, delay_s: int = 0) -> None:
        """Keep the message."""
        self.sent.append(body)
        self.delays_s.append(delay_s)


class FakeLedger:
    """`millrace.ports.CommitFinder` and `Checkpoints` in dictionaries."""

    def __init__(self) -> None:
        self.checkpoints: dict[ShardKey, Checkpoint] = {}
        self.commits: dict[tuple[ShardKey, int], Commit] = {}
        self.waiting_since: dict[ShardKey, datetime] = {}

    def read(self, shard: ShardKey) -> Checkpoint:
        """Return the shard's checkpoint; a new shard has the default one."""
        return self.checkpoints.get(shard, Checkpoint())

    def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
        """Write the commit and `after` if the version is still `before`'s."""
        head = commit.head
        at = (head.shard, head.first_seq)
        there = self.commits.get(at)
        if self.read(head.shard).version != before.version or there is not None:
            return there is not None and _same_objects(there.head, head)
        self.checkpoints[head.shard] = after
        self.waiting_since[head.shard] = head.committed_at
        self.commits[at] = commit
        return True

    def covered(self, shard: ShardKey, within: SeqRange) -> list[SeqRange]:
        """Return the ranges of all commits that touch `within`, in order."""
        ranges = [SeqRange(head.first_seq, head.last_seq) for head in self.heads(shard)]
        return [each for each in ranges if each.first <= within.last and each.last >= within.first]

    def overdue(self, since_before: datetime) -> Iterator[ShardKey]:
        """Yield each shard that has had references pending since before that time."""
        for shard, checkpoint in self.checkpoints.items():
            if checkpoint.pending and self.waiting_since[shard] < since_before:
                yield shard

    def latest(self, shard: ShardKey) -> CommitHead | None:
        """Return the commit of a shard that begins last, if there is one."""
        return max(self.heads(shard), key=lambda head: head.first_seq, default=None)

    def clear_pending(self, shard: ShardKey, seen: Checkpoint) -> bool:
        """Empty `pending` if the version is still the one in `seen`; return whether it was."""
        if self.read(shard).version != seen.version:
            return False
        self.checkpoints[shard] = replace(seen, version=seen.version + 1, pending=())
        return True

    def load(self, shard: ShardKey, first_seq: int) -> Commit:
        """Return a commit; raise CommitMissing if there is none."""
        try:
            return self.commits[shard, first_seq]
        except KeyError:
            raise CommitMissing(f"the ledger holds no commit at {shard} {first_seq}") from None

    def head(self, shard: ShardKey, first_seq: int) -> CommitHead:
        """Return the small half of a commit; raise CommitMissing if there is none."""
        return self.load(shard, first_seq).head

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        found = (head for head in self.heads(shard) if head.first_seq <= seq <= head.last_seq)
        return next(found, None)

    def mark(
        self, shard: ShardKey, first_seq: int, stage: Stage, value: Mapping[str, object]
    ) -> None:
        """SET the stage's mark if it is not there."""
        commit = self.load(shard, first_seq)
        marks = {stage: dict(value)} | dict(commit.head.marks)
        self.commits[shard, first_seq] = replace(commit, head=replace(commit.head, marks=marks))

    def heads(self, shard: ShardKey) -> Iterator[CommitHead]:
        """Yield every commit of a shard, in order of its first sequence number."""
        for (where, _), commit in sorted(self.commits.items(), key=lambda each: each[0][1]):
            if where == shard:
                yield commit.head

    def unfinished(self) -> Iterator[tuple[ShardKey, datetime]]:
        """Yield shard and commit time of each commit that some stage has yet to mark."""
        for commit in self.commits.values():
            if not commit.head.finished:
                yield commit.head.shard, commit.head.committed_at


class FakeIndex:
    """`millrace.ports.IndexWriter` and `IndexPages` in dictionaries; `buckets` is the setting."""

    def __init__(self, buckets: int = BUCKETS) -> None:
        self.buckets = buckets
        self.counts: dict[date, int] = {}
        self.pages: dict[PagePlace, dict[tuple[datetime, str, int], IndexPage]] = {}

    def settled_buckets(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day; a day without one gets the setting."""
        return {day: self.counts.setdefault(day, self.buckets) for day in days}

    def write(self, pages: Sequence[IndexPage]) -> None:
        """Keep the pages under their keys."""
        for page in pages:
            part = -1 if page.part is None else page.part
            key = page.arrived, page.commit_id, part
            self.pages.setdefault(page.place, {})[key] = page

    def bucket_counts(self, days: Iterable[date]) -> Mapping[date, int]:
        """Return the bucket count of each day that has one."""
        return {day: self.counts[day] for day in days if day in self.counts}

    def bodies(self, day: date, bucket: int) -> Iterator[bytes]:
        """Yield the bodies of all pages of one partition, in order of arrival."""
        for _, page in sorted(
            self.pages.get(PagePlace(day, bucket), {}).items(), key=lambda each: each[0]
        ):
            yield page.body


def _same_objects(there: CommitHead, mine: CommitHead) -> bool:
    return (there.raw_key, there.quarantine_key) == (mine.raw_key, mine.quarantine_key)


class FakeAudit:
    """`millrace.audit.AuditLog` in a list."""

    def __init__(self) -> None:
        self.kept: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        """Keep an entry."""
        self.kept.append(entry)

    def entries(self, start: datetime, end: datetime) -> Iterator[AuditEntry]:
        """Yield the entries of a half-open window in the order they were written."""
        return iter([each for each in self.kept if start <= each.at < end])
