"""Index entries in the order of their places in history, however many there are.

The index is read partition by partition, but messages of one gzip member should follow each other,
so that each member is fetched once. A temporary SQLite database sorts them: SQLite keeps what does
not fit its cache in a file that goes with the connection, so memory stays flat.
https://www.sqlite.org/inmemorydb.html#temp_db
"""

import sqlite3
from collections.abc import Iterator
from itertools import groupby

from millrace.commit import ShardKey, padded
from millrace.index import IndexEntry
from millrace.times import from_epoch_ms, to_epoch_ms

CommitPlace = tuple[ShardKey, int]
"""A commit, by its shard and first sequence number."""

_TABLE = """
CREATE TABLE entry (
  shard TEXT, seq TEXT, line INTEGER, event_id TEXT, entity_id TEXT, time INTEGER, arrival INTEGER,
  type TEXT, source TEXT, duplicate INTEGER, PRIMARY KEY (shard, seq, line)
) WITHOUT ROWID"""
_INSERT = "INSERT OR IGNORE INTO entry VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_ORDERED = "SELECT * FROM entry ORDER BY shard, seq, line"

Row = tuple[str, str, int, str, str, int, int, str, str, int]


class SortedEntries:
    """Takes entries in any order, gives them back by commit and line; each line once.

    They are gone with `close`, which `contextlib.closing` calls.
    """

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)  # "": a temporary database
        self._rows.execute(_TABLE)
        self._rows.execute("BEGIN")  # one transaction: none of it is to last
        self._count = 0

    def close(self) -> None:
        """Forget the entries."""
        self._rows.close()

    def add(self, entry: IndexEntry) -> None:
        """Keep the entry, unless its line is there."""
        self._count += self._rows.execute(_INSERT, _row_of(entry)).rowcount

    def __len__(self) -> int:
        """How many entries there are."""
        return self._count

    def by_commit(self) -> Iterator[tuple[CommitPlace, Iterator[IndexEntry]]]:
        """Yield each commit and its entries, in line order."""
        rows: Iterator[Row] = self._rows.execute(_ORDERED)
        for (shard, seq), group in groupby(rows, key=lambda row: row[:2]):
            yield (ShardKey.parse(shard), int(seq)), map(_entry_of, group)


def _row_of(entry: IndexEntry) -> Row:
    return (
        str(entry.shard),
        padded(entry.first_seq),
        entry.line,
        entry.event_id,
        entry.entity_id,
        to_epoch_ms(entry.event_time),
        to_epoch_ms(entry.arrival_time),
        entry.event_type,
        entry.source,
        int(entry.duplicate),
    )


def _entry_of(row: Row) -> IndexEntry:
    shard, seq, line, event_id, entity_id, time, arrival, event_type, source, duplicate = row
    return IndexEntry(
        event_id=event_id,
        entity_id=entity_id,
        event_time=from_epoch_ms(time),
        event_type=event_type,
        source=source,
        arrival_time=from_epoch_ms(arrival),
        shard=ShardKey.parse(shard),
        first_seq=int(seq),
        line=line,
        duplicate=bool(duplicate),
    )
