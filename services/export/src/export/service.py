"""Export one hour: its archive objects in, one file a client and a manifest beside it out.

Why it is exact (docs/adr/0014-export.md): what an hour holds is read after the versions of the
files that it will replace, and a file is only written over the version that was read. An attempt
that overslept finds another version there and gives up; it can never put old content over new.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from export.domain.files import Content, Exported, Placement, Status, manifest
from export.domain.routing import Routed, Tally, route
from export.domain.sources import ArchivedObject, ClientHour, HourIndex, objects_of, passes
from export.parallel import in_order
from export.ports import Archive, Bases, ClientFiles, Exports, Spill, SpillFull
from millrace.errors import MillraceError
from millrace.windows import hour_label

HasTime = Callable[[], bool]
T = TypeVar("T")


def always() -> bool:
    """Say that there is time."""
    return True


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is done at a time, and so how much memory and disk it takes."""

    segments: int = 8
    """Archive objects read at once."""
    uploads: int = 4
    """Files written at once."""
    spill_bytes: int = 256_000_000
    """Compressed events of a pass on disk."""


@dataclass(slots=True)
class HourOutcome:
    """What came of one hour."""

    hour: str
    status: Status
    clients: int = 0
    written: list[str] = field(default_factory=list)
    """Clients whose file was written."""
    relabelled: list[str] = field(default_factory=list)
    """Clients whose file was right, and whose manifest says another status now."""
    left: int = 0
    """Clients for whom the time did not suffice."""
    failed: dict[str, MillraceError] = field(default_factory=dict)
    """Clients whose files could not be looked at or written, and why; the others were."""
    events: int = 0
    """Events in the files that were written."""


@dataclass(frozen=True, slots=True)
class _Task:
    """One client's hour, what is there of it, and over which versions to write."""

    wanted: ClientHour
    exported: Exported
    bases: Bases


@dataclass(frozen=True, slots=True)
class Export:
    """The use case, over its ports."""

    archive: Archive
    exports: Exports
    files: ClientFiles
    placement: Placement
    new_spill: Callable[[], Spill]
    bounds: Bounds

    def export(
        self,
        hour: datetime,
        status: Status,
        only_client: str | None = None,
        has_time: HasTime = always,
    ) -> HourOutcome:
        """Bring the files of an hour up to what its archive holds; `status` was judged before.

        Each client that is done is noted, so whatever ends this call, the next one goes on there.
        What fails for one client alone is in the outcome, and the others are done.

        Raises:
            RetryableError: the same call may succeed later.
            ArchiveTorn, ObjectMissing, ConfigError: it cannot before somebody has acted.
        """
        run = _Run(self, hour, status, only_client, has_time)
        run.over(run.tasks())
        return run.outcome


class _Run:
    """One attempt at one hour."""

    def __init__(
        self,
        ports: Export,
        hour: datetime,
        status: Status,
        only_client: str | None,
        has_time: HasTime,
    ) -> None:
        self._ports = ports
        self._hour = hour
        self._label = hour_label(hour)
        self._only = only_client
        self._has_time = has_time
        self.outcome = HourOutcome(self._label, status)

    def tasks(self) -> list[_Task]:
        """Return what there is to do, its content read after the versions that it replaces."""
        exported = {row.client_id: row for row in self._ports.exports.of(self._label)}
        bases: dict[str, Bases] = {}
        index = HourIndex()
        while True:
            index = self._read_rows(index)
            wanted = [each for each in index.clients() if self._only in (None, each.client_id)]
            stale = [
                each
                for each in wanted
                if not self._is_current(exported, each)
                and each.client_id not in self.outcome.failed
            ]
            unseen = [each.client_id for each in stale if each.client_id not in bases]
            if not unseen:
                self.outcome.clients = len(wanted)
                return [
                    _Task(each, exported[each.client_id], bases[each.client_id]) for each in stale
                ]
            rows = self._settled(unseen, exported)
            exported |= rows
            bases |= self._versions(rows.values())

    def over(self, tasks: Sequence[_Task]) -> None:
        """Do the tasks: first what needs a new manifest alone, then pass after pass."""
        right = [task for task in tasks if task.exported.holds(task.wanted)]
        for client_id in self._each(self._relabel, right):
            self.outcome.relabelled.append(client_id)
        by_client = {task.wanted.client_id: task for task in tasks if task not in right}
        wanted = [task.wanted for task in by_client.values()]
        for group in passes(wanted, self._ports.bounds.spill_bytes):
            if not self._has_time():
                break
            self._pass([by_client[each.client_id] for each in group])
        done = {*self.outcome.relabelled, *self.outcome.written, *self.outcome.failed}
        self.outcome.left = sum(task.wanted.client_id not in done for task in tasks)

    def _read_rows(self, known: HourIndex) -> HourIndex:
        """Return the index of the hour's rows; `known` itself if there is none that it lacks."""
        keys = {each.key for each in known.objects}
        objects = self._ports.archive.objects
        if keys and all(each.key in keys for each in objects(self._label)):
            return known
        index = HourIndex()
        for found in in_order(self._counted, objects(self._label), self._ports.bounds.segments):
            index.add(found)
        return index

    def _counted(self, found: ArchivedObject) -> ArchivedObject:
        """Return the object with its clients, counted where its row lists none."""
        if found.clients is not None:
            return found
        lines = self._ports.archive.lines(found.key)
        return replace(found, clients=route(found, lines, frozenset()).events)

    def _is_current(self, exported: Mapping[str, Exported], wanted: ClientHour) -> bool:
        row = exported.get(wanted.client_id)
        return row is not None and row.is_current(wanted, self.outcome.status)

    def _settled(
        self, client_ids: Iterable[str], exported: Mapping[str, Exported]
    ) -> dict[str, Exported]:
        ports = self._ports
        rows = {each: exported[each] for each in client_ids if each in exported}
        new = [each for each in client_ids if each not in exported]

        def settle(client_id: str) -> Exported:
            place = ports.placement.place(client_id, self._hour)
            return ports.exports.settle(self._label, client_id, place)

        return rows | {row.client_id: row for row in in_order(settle, new, ports.bounds.segments)}

    def _versions(self, rows: Iterable[Exported]) -> dict[str, Bases]:
        files = self._ports.files

        def look(row: Exported) -> tuple[str, Bases | None]:
            place = row.place

            def bases() -> Bases:
                return Bases(
                    files.version(place.bucket, place.key),
                    files.version(place.bucket, place.manifest_key(self._hour)),
                )

            return row.client_id, self._for_client(row.client_id, bases)

        looked = in_order(look, rows, self._ports.bounds.segments)
        return {client_id: bases for client_id, bases in looked if bases is not None}

    def _for_client(self, client_id: str, work: Callable[[], T]) -> T | None:
        """Do what concerns one client alone; its failure is noted and stops nobody else."""
        try:
            return work()
        except MillraceError as err:
            self.outcome.failed[client_id] = err
            return None

    def _pass(self, tasks: Sequence[_Task]) -> None:
        """Read the archive once for all of `tasks` and write their files."""
        if len(tasks) == 1:
            self._stream(tasks[0])
            return
        try:
            self._spilled(tasks)
        except SpillFull:  # nothing is written yet
            half = len(tasks) // 2
            self._pass(tasks[:half])
            self._pass(tasks[half:])

    def _spilled(self, tasks: Sequence[_Task]) -> None:
        by_client = {task.wanted.client_id: task.wanted for task in tasks}
        tally = Tally()
        with self._ports.new_spill() as spill:
            for routed in self._read(objects_of(by_client.values()), by_client.keys()):
                for client_id, share in routed.shares.items():
                    spill.add(client_id, share.text)
                    tally.add(client_id, share)
            for task in tasks:
                tally.of(task.wanted)  # before the first file, that none is made of a torn archive

            def write(task: _Task) -> str:
                return self._write(task, spill.texts(task.wanted.client_id), tally)

            for client_id in self._each(write, tasks):
                self._note(by_client[client_id])

    def _stream(self, task: _Task) -> None:
        """Write one client's file as it is read: it may be larger than any disk."""
        client_id, tally = task.wanted.client_id, Tally()

        def texts() -> Iterator[bytes]:
            for routed in self._read(objects_of([task.wanted]), {client_id}):
                share = routed.shares[client_id]
                tally.add(client_id, share)
                yield share.text
            tally.of(task.wanted)  # an error here leaves the upload incomplete

        if self._for_client(client_id, lambda: self._write(task, texts(), tally)):
            self._note(task.wanted)

    def _read(self, objects: Iterable[ArchivedObject], wanted: Set[str]) -> Iterator[Routed]:
        def read(found: ArchivedObject) -> Routed:
            return route(found, self._ports.archive.lines(found.key), wanted)

        return in_order(read, objects, self._ports.bounds.segments)

    def _each(self, work: Callable[[_Task], str], tasks: Sequence[_Task]) -> Iterator[str]:
        """Do the tasks side by side while there is time; yield the clients that are done."""

        def attempt(task: _Task) -> str | None:
            return self._for_client(task.wanted.client_id, lambda: work(task))

        timely = (task for task in tasks if self._has_time())
        done = in_order(attempt, timely, self._ports.bounds.uploads)
        return (client_id for client_id in done if client_id is not None)

    def _write(self, task: _Task, texts: Iterable[bytes], tally: Tally) -> str:
        wanted, place = task.wanted, task.exported.place
        chunks = place.form.encoded(texts)
        written = self._ports.files.write(place, task.bases.file, wanted.digest, chunks)
        events, input_hash = tally.of(wanted)
        content = Content(wanted.digest, events, input_hash, written.size_bytes, written.sha256)
        self._publish(task, content)
        return wanted.client_id

    def _relabel(self, task: _Task) -> str:
        if task.exported.content is not None:  # it is: the file was made of these very sources
            self._publish(task, task.exported.content)
        return task.wanted.client_id

    def _publish(self, task: _Task, content: Content) -> None:
        """Write the manifest, then the row: a row never says more than the files."""
        row, ports, status = task.exported, self._ports, self.outcome.status
        body = manifest(self._hour, task.wanted, row.place, content, status)
        key = row.place.manifest_key(self._hour)
        ports.files.write_manifest(row.place.bucket, key, task.bases.manifest, body)
        now = replace(row, revision=row.revision + 1, content=content, status=status)
        ports.exports.update(self._label, row, now)

    def _note(self, wanted: ClientHour) -> None:
        self.outcome.written.append(wanted.client_id)
        self.outcome.events += wanted.events
