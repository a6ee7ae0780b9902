"""The ingest protocol, on fakes."""

from dataclasses import replace

import pytest

from ingest.service import MAX_OUTCOMES_PER_COMMIT
from millrace.commit import Checkpoint, Commit, CommitCounts, Owner
from millrace.errors import ConfigError, RetryableError
from millrace.event import parse_event
from millrace.identity import gate_key
from millrace.quarantine.record import Place, records_of
from millrace.raw_lines import unpack
from millrace.reference import Reference
from millrace_testing.builders import SHARD, event_bytes
from millrace_testing.fakes import FakeLedger, FakeQueue


def committed_events(world) -> list[bytes]:
    """Return the accepted lines as a reader of the ledger sees them."""
    lines = []
    for head in world.ledger.heads(SHARD):
        commit = world.ledger.load(SHARD, head.first_seq)
        if head.raw_key:
            stored = unpack(world.objects.get(head.raw_key))
            lines += [
                line
                for line, entry in zip(stored, commit.body.lines, strict=True)
                if entry.duplicate_of is None
            ]
    return lines


def test_every_record_is_accounted_for(world, stream):
    """Received = accepted + duplicates + quarantined, and each has its place."""
    batch = stream([event_bytes(1), b"not json", event_bytes(2), event_bytes(1), b"[]"])
    result = world.deliver(batch)
    assert result.retry_from is None
    assert result.counts == CommitCounts(accepted=2, duplicates=1, quarantined=2)
    assert result.counts.received == len(batch)
    assert committed_events(world) == [event_bytes(1), event_bytes(2)]


def test_a_quarantined_record_can_be_had_back(world, stream):
    """Quarantine keeps the bytes, the place and the reason."""
    world.deliver(stream([b"\xff\xfe", event_bytes(1)]))
    (head,) = world.ledger.heads(SHARD)
    (record,) = records_of(head, world.objects.get(head.quarantine_key))
    assert (record.reason, record.place) == ("not_utf8", Place(SHARD.shard_id, 100, 0))
    assert record.data == b"\xff\xfe"


def test_a_duplicate_names_what_it_repeats(world, stream):
    """The line table says of which place a duplicate is; other content is a conflict too."""
    world.deliver(stream([event_bytes(1)], first_seq=100))
    result = world.deliver(stream([event_bytes(1), event_bytes(1, payload={})], first_seq=200))
    assert result.counts == CommitCounts(duplicates=2, conflicts=1)
    lines = world.ledger.load(SHARD, 200).body.lines
    assert [line.duplicate_of for line in lines] == [Owner(str(SHARD), 100, 0)] * 2
    assert [line.conflict for line in lines] == [False, True]


def test_one_reference_per_commit(world, stream):
    """A commit is sent once, and nothing stays pending."""
    world.deliver(stream([event_bytes(1), event_bytes(2)]))
    (body,) = world.queue.sent
    assert Reference.parse(body).first_seq == 100
    after = world.ledger.read(SHARD)
    assert (after.version, after.committed_seq, after.pending) == (2, 101, ())


def test_nothing_to_enrich_sends_nothing(world, stream):
    """A batch of rejects alone is committed and finished: no reference, no raw object."""
    world.deliver(stream([b"x", b"y"]))
    assert world.queue.sent == []
    assert world.objects.keys("raw/") == []
    assert list(world.ledger.unfinished()) == []
    assert world.ledger.read(SHARD).committed_seq == 101


def test_a_throttled_key_ends_the_prefix(world, stream):
    """All before the first unresolved record is committed; Kinesis retries from it."""
    world.gate.throttled = {gate_key("web", "event-3")}
    result = world.deliver(stream([event_bytes(n) for n in range(1, 6)]))
    assert result.retry_from == 102
    assert committed_events(world) == [event_bytes(1), event_bytes(2)]
    world.gate.throttled = set()
    again = world.deliver(stream([event_bytes(n) for n in range(3, 6)], first_seq=102))
    assert again.retry_from is None
    assert committed_events(world) == [event_bytes(n) for n in range(1, 6)]


def test_an_unresolved_first_record_commits_nothing(world, stream):
    """There is no empty commit."""
    world.gate.throttled = {gate_key("web", "event-1")}
    result = world.deliver(stream([event_bytes(1), event_bytes(2)]))
    assert result.retry_from == 100
    assert list(world.ledger.heads(SHARD)) == []


@pytest.mark.parametrize("first_seq", [100, 101, 102])
def test_redelivery_drops_what_is_committed(world, stream, first_seq):
    """A record at or below the watermark is counted and left alone, whatever the boundaries."""
    datas = [event_bytes(n) for n in range(5)]
    world.deliver(stream(datas[:3]))
    again = world.deliver(stream(datas, first_seq=100)[first_seq - 100 :])
    assert again.already_committed == 103 - first_seq
    assert committed_events(world) == datas


def test_what_was_not_sent_goes_with_the_next_batch(world, stream):
    """A reference whose sending failed waits in the checkpoint and is sent before new work."""

    class Down(FakeQueue):
        def send(self, body: str) -> None:
            raise RetryableError("SQS is down")

    result = world.with_port(references=Down()).deliver(stream([event_bytes(1)]))
    assert result.retry_from == 100
    assert len(world.ledger.read(SHARD).pending) == 1
    again = world.deliver(stream([event_bytes(1)]))
    assert (again.retry_from, again.already_committed) == (None, 1)
    assert [Reference.parse(body).first_seq for body in world.queue.sent] == [100]
    assert world.ledger.read(SHARD).pending == ()


def test_a_zombie_cannot_commit(world, stream):
    """An attempt that read an older version writes nothing and asks for the whole batch again."""

    class Overtaken(FakeLedger):
        """A faster attempt at the same records commits just before this one does."""

        def commit(self, before: Checkpoint, after: Checkpoint, commit: Commit) -> bool:
            rival = replace(commit, head=replace(commit.head, raw_key="raw/rival"))
            super().commit(before, after, rival)
            return super().commit(before, after, commit)

    overtaken = Overtaken()
    result = world.with_port(checkpoints=overtaken).deliver(stream([event_bytes(1)]))
    assert result.retry_from == 100
    assert [head.raw_key for head in overtaken.heads(SHARD)] == ["raw/rival"]
    assert overtaken.read(SHARD).version == 1


def test_a_missing_right_is_loud(world, stream):
    """A configuration error is not a retry: it fails the invocation with its message."""

    class Denied(FakeQueue):
        def send(self, body: str) -> None:
            raise ConfigError("SendMessage: AccessDenied")

    with pytest.raises(ConfigError, match="AccessDenied"):
        world.with_port(references=Denied()).deliver(stream([event_bytes(1)]))


def test_a_large_batch_becomes_several_commits(world, stream):
    """A commit row never outgrows its item: more lines make more commits, in order."""
    datas = [event_bytes(n) for n in range(MAX_OUTCOMES_PER_COMMIT + 1)]
    result = world.deliver(stream(datas))
    assert [commit.head.counts.accepted for commit in result.commits] == [
        MAX_OUTCOMES_PER_COMMIT,
        1,
    ]
    assert committed_events(world) == datas
    assert len(world.queue.sent) == 2


def test_a_fault_of_the_parser_does_not_block_the_shard(world, stream, monkeypatch):
    """A record that breaks the parser itself is quarantined with its bytes; the others go on."""

    def broken_for_one(data, arrival, limits):
        if b"poison" in data:
            raise RecursionError
        return parse_event(data, arrival, limits)

    monkeypatch.setattr("millrace.event.parse_event", broken_for_one)
    result = world.deliver(stream([event_bytes(1), b"poison", event_bytes(2)]))
    assert result.retry_from is None
    assert result.counts == CommitCounts(accepted=2, quarantined=1)
    assert [each.outcome.rejection.reason for each in result.rejected] == ["unreadable"]
