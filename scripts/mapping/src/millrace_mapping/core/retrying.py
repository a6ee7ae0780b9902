"""What is tried next when a batch has failed: the rest of it, its halves, or all of it again.

https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
"""

from dataclasses import dataclass, replace

from millrace_mapping.core.outcome import Outcome
from millrace_mapping.core.records import EncodedRecord
from millrace_mapping.core.settings import FOR_EVER, MappingSettings


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that are tried together, and how often that has been done."""

    records: tuple[EncodedRecord, ...]
    failures: int = 0
    """Failed attempts at exactly these records. A split is none: its halves begin anew."""
    outcome: Outcome | None = None
    """Of the last attempt."""

    @property
    def first(self) -> EncodedRecord:
        """The record that comes first."""
        return self.records[0]

    @property
    def last(self) -> EncodedRecord:
        """The record that comes last."""
        return self.records[-1]


def left_after(batch: Batch, outcome: Outcome, *, bisects: bool) -> tuple[Batch, ...]:
    """Return what is left to try of a batch, in order; nothing after a success.

    - A partial answer moves on to the record that it names. What is left has all its retries.
    - A batch that failed from its first record on is halved if the mapping bisects; that uses up
      no retry. A single record cannot be halved.
    - Else the same batch, with one attempt more behind it.
    """
    if outcome.done:
        rest = batch.records[outcome.done :]
        return (Batch(rest, outcome=outcome),) if rest else ()
    if bisects and len(batch.records) > 1:
        middle = len(batch.records) // 2
        halves = batch.records[:middle], batch.records[middle:]
        return tuple(Batch(half, batch.failures, outcome) for half in halves)
    return (replace(batch, failures=batch.failures + 1, outcome=outcome),)


def is_exhausted(batch: Batch, settings: MappingSettings) -> bool:
    """Tell whether the batch has had its first attempt and all its retries."""
    return settings.retries != FOR_EVER and batch.failures > settings.retries


def split_by_age(
    batch: Batch, arrived_before: float
) -> tuple[tuple[EncodedRecord, ...], tuple[Batch, ...]]:
    """Return the leading records that arrived before that time, and what is left of the batch.

    Arrival times are approximate: should a record further back be too old, the batch ends before
    it, and it leads the next one.
    """
    ages = [record.arrival < arrived_before for record in batch.records]
    if not any(ages):
        return (), (batch,)
    leading = ages.index(False) if False in ages else len(ages)
    rest, left = batch.records[leading:], ages[leading:]
    if not rest:
        return batch.records, ()
    end = left.index(True) if True in left else len(left)
    parts = (rest[:end], rest[end:])
    return batch.records[:leading], tuple(replace(batch, records=p) for p in parts if p)
