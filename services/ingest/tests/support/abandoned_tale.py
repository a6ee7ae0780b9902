"""Schedules whose discarded batches are given up for good, and sent again on another shard.

Zombies of the batches wake when all that is over, where they could do most harm.
"""

from collections import Counter

import orjson
from mapping_tale import INCARNATION, LIMITS, IngestTale, Told, played, read_back, sweep

from ingest.domain.records import StreamRecord, judge
from millrace.commit import SeqRange, ShardKey
from millrace.discarded.abandoning import AbandonedRanges, Abandoning, NothingToAbandon
from millrace.discarded.batch import Closing, DiscardedBatch, State
from millrace.raw_lines import unpack
from millrace.times import to_epoch_ms
from millrace_mapping.core.discards import Discard
from millrace_testing.builders import ARRIVAL
from millrace_testing.discards import discarded_batch
from millrace_testing.fakes import FakeLedger

RESENT = ShardKey(INCARNATION, "shardId-000000009999")
_GONE = Closing(State.ABANDONED, ARRIVAL, "ada", "gone")
FAULTS = ("crash before", "crash after", "lost", "zombie")


def play_abandoned(seed: int, *, takes_over: bool = True) -> Told:
    """Play a schedule, give up what was discarded, send it again; then zombies wake.

    takes_over: False plays a gate whose owners are never replaced.
    """
    told = played(seed, IngestTale(FakeLedger, FAULTS))
    for discard in told.run.audit.deliveries:
        abandon(told, batch_of(discard))
    resend(told, takes_over=takes_over)
    for zombie in told.function.zombies:
        zombie.end()
    sweep(told)
    return told


def batch_of(discard: Discard) -> DiscardedBatch:
    """Return what the notice of a discarded batch tells."""
    first, last = (int(discard.records[n].sequence) for n in (0, -1))
    return discarded_batch(first, last, ShardKey(INCARNATION, discard.shard_id))


def abandon(told: Told, batch: DiscardedBatch) -> None:
    """Give up what no commit holds of it."""
    stores = told.stores
    stores.discards.note(batch)
    try:
        Abandoning(stores.ledger, stores.discards, stores.discards).abandon(batch, _GONE)
    except NothingToAbandon:
        return  # its function had committed it, and only the answer was lost


def resend(told: Told, *, takes_over: bool) -> None:
    """Put every record of an abandoned range anew, as its producer would, on another shard."""
    stores = told.stores
    gone = list(stores.discards.gone)
    if not takes_over:
        stores.discards.gone = []
    datas = [
        record.data
        for shard_id, record in told.run.world.stream.records()
        for shard, within in gone
        if shard == str(ShardKey(INCARNATION, shard_id))
        and within.first <= int(record.sequence) <= within.last
    ]
    arrival = to_epoch_ms(ARRIVAL)
    records = [StreamRecord(n, arrival, data) for n, data in enumerate(datas)]
    if records:
        assert stores.service().ingest(RESENT, records, "resend").retry_from is None
    stores.discards.gone = gone


def miscounts(told: Told) -> list[str]:
    """Return events that are not accepted exactly once, and commits inside what was given up."""
    stores, found = told.stores, Counter[tuple[str, str]]()
    shards = [ShardKey(INCARNATION, each.shard_id) for each in told.run.world.stream.shards()]
    gone = AbandonedRanges(stores.discards.abandoned())
    problems = []
    for shard in [*shards, RESENT]:
        for head in stores.ledger.heads(shard):
            reach = SeqRange(head.first_seq, head.last_seq)
            if any(_touch(reach, each) for each in gone.of(str(shard))):
                problems.append(f"a commit of {shard} lies in what was given up")
            entries = stores.ledger.load(shard, head.first_seq).body.lines
            lines = unpack(stores.objects.get(head.raw_key)) if head.raw_key else []
            for line, entry in zip(lines, entries, strict=True):
                if entry.duplicate_of is None:
                    event = orjson.loads(line)
                    found[event["source"], event["event_id"]] += 1
    sent = {
        (outcome.event.source, outcome.event.event_id)
        for _, record in told.run.world.stream.records()
        for outcome in judge(read_back(record), LIMITS).outcomes
        if outcome.event is not None
    }
    return [
        *problems,
        *(f"lost: {each}" for each in sent - found.keys()),
        *(f"accepted {n} times: {each}" for each, n in found.items() if n > 1),
    ]


def _touch(one: SeqRange, other: SeqRange) -> bool:
    return one.first <= other.last and other.first <= one.last
