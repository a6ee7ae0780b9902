"""The life of a shard against a stream and a function in memory."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from millrace_local.mapping.outcome import Answer
from millrace_local.mapping.records import RecordEncoder, StreamRecord
from millrace_local.mapping.settings import MappingSettings, read_mapping
from millrace_local.mapping.shard import Page, ShardConsumer, ShardEnded, Unavailable
from millrace_local.mapping.state import ShardProgress

DONE = Answer(b'{"batchItemFailures": []}')


class FakeClock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeShard:
    """A shard that hands out what was put since the last read."""

    waiting: list[StreamRecord] = field(default_factory=list)
    ended: bool = False
    unavailable: bool = False
    read_count: int = 0

    def put(self, *sequences: int, at: float = 1_000.0) -> None:
        self.waiting += [StreamRecord(str(s), "key", str(s).encode(), at) for s in sequences]

    def read(self) -> Page:
        self.read_count += 1
        if self.unavailable:
            raise Unavailable("throttled")
        if self.ended and not self.waiting:
            raise ShardEnded("shard")
        records, self.waiting = self.waiting, []
        return Page(records)


@dataclass
class FakeFunction:
    """Answers as told, then with success; keeps the sequence numbers of each event."""

    answers: list[Answer | Exception] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)

    def __call__(self, payload: bytes) -> Answer:
        records = json.loads(payload)["Records"]
        self.batches.append([record["kinesis"]["sequenceNumber"] for record in records])
        answer = self.answers.pop(0) if self.answers else DONE
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Bench:
    consumer: ShardConsumer
    shard: FakeShard
    function: FakeFunction
    clock: FakeClock

    @property
    def progress(self) -> ShardProgress:
        return self.consumer.progress

    def steps(self, count: int = 10) -> None:
        """Take so many steps, letting the time pass that each asks for."""
        for _ in range(count):
            self.clock.now += self.consumer.step()


@pytest.fixture
def bench() -> Callable[..., Bench]:
    def make(**members: Any) -> Bench:
        settings = _settings(**members)
        shard, function, clock = FakeShard(), FakeFunction(), FakeClock()
        encoder = RecordEncoder(settings, "shardId-000000000000")
        progress = ShardProgress()
        return Bench(
            ShardConsumer(settings, encoder, shard, function, clock, progress),
            shard,
            function,
            clock,
        )

    return make


def _settings(**members: Any) -> MappingSettings:
    return read_mapping(
        {
            "UUID": "u",
            "EventSourceArn": "arn:aws:kinesis:us-east-1:000000000000:stream/s",
            "FunctionArn": "f",
            "BatchSize": 3,
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            **members,
        },
        "role",
    )


def failed(sequence: int) -> Answer:
    return Answer(json.dumps({"batchItemFailures": [{"itemIdentifier": str(sequence)}]}).encode())


def test_records_arrive_in_order_and_in_batches(bench: Callable[..., Bench]) -> None:
    """Batches of the mapping's size, in the stream's order, each record once."""
    b = bench()
    b.shard.put(1, 2, 3, 4, 5)
    b.steps()
    assert b.function.batches == [["1", "2", "3"], ["4", "5"]]
    assert (b.progress.position, b.progress.delivered) == ("5", 5)


def test_a_window_gathers_until_it_has_passed(bench: Callable[..., Bench]) -> None:
    """A batch that is not full waits for the window, counted from its first record."""
    b = bench(MaximumBatchingWindowInSeconds=2)
    b.shard.put(1)
    b.steps(5)
    assert b.function.batches == []
    b.shard.put(2)
    b.clock.now += 2
    b.steps(1)
    assert b.function.batches == [["1", "2"]]


def test_a_full_batch_does_not_wait_for_the_window(bench: Callable[..., Bench]) -> None:
    """As soon as the batch size is reached the function is invoked."""
    b = bench(MaximumBatchingWindowInSeconds=300)
    b.shard.put(1, 2, 3)
    b.steps(1)
    assert b.function.batches == [["1", "2", "3"]]


def test_a_reported_record_and_all_after_it_come_again(bench: Callable[..., Bench]) -> None:
    """The rest of the batch is retried as it was: records put meanwhile do not join it."""
    b = bench()
    b.function.answers = [failed(2)]
    b.shard.put(1, 2, 3)
    b.steps(1)
    b.shard.put(4)
    b.steps()
    assert b.function.batches == [["1", "2", "3"], ["2", "3"], ["4"]]
    assert b.progress.delivered == 4


def test_an_error_repeats_the_whole_batch(bench: Callable[..., Bench]) -> None:
    """An exception in the function advances nothing."""
    b = bench()
    b.function.answers = [Answer(b"{}", "ValueError: no")]
    b.shard.put(1, 2)
    b.steps()
    assert b.function.batches == [["1", "2"], ["1", "2"]]
    assert b.progress.last_result == "delivered 2"


def test_a_shard_blocks_when_its_retries_are_used_up(bench: Callable[..., Bench]) -> None:
    """After one attempt and two retries nothing is skipped: the shard stands, and says why."""
    b = bench(MaximumRetryAttempts=2)
    b.function.answers = [Answer(b"{}", "ValueError: no")] * 9
    b.shard.put(1, 2)
    b.steps(20)
    assert b.function.batches == [["1", "2"]] * 3
    assert b.progress.blocked is not None
    assert "ValueError: no" in b.progress.blocked
    assert (b.progress.position, b.progress.buffered) == (None, 2)
    assert b.progress.caught_up_at is None


def test_zero_retries_means_one_attempt(bench: Callable[..., Bench]) -> None:
    """MaximumRetryAttempts 0 is not the same as no limit."""
    b = bench(MaximumRetryAttempts=0)
    b.function.answers = [failed(1)] * 9
    b.shard.put(1)
    b.steps()
    assert len(b.function.batches) == 1
    assert b.progress.blocked


def test_progress_renews_the_retries(bench: Callable[..., Bench]) -> None:
    """Retries are counted for the record that comes first, so a batch may advance bit by bit."""
    b = bench(MaximumRetryAttempts=1)
    b.function.answers = [failed(1), failed(2), failed(3)]
    b.shard.put(1, 2, 3)
    b.steps()
    assert b.progress.position == "3"
    assert not b.progress.blocked


def test_without_a_limit_it_is_tried_for_ever(bench: Callable[..., Bench]) -> None:
    """With -1 the shard neither blocks nor moves on, and the waits stay bounded."""
    b = bench(MaximumRetryAttempts=-1)
    b.function.answers = [failed(1)] * 2000
    b.shard.put(1)
    b.steps(1500)
    assert not b.progress.blocked
    assert b.progress.attempts > 1000
    assert b.consumer.step() <= 5


@pytest.mark.parametrize("times", [1, 10])
def test_a_throttled_invocation_is_no_attempt(bench: Callable[..., Bench], times: int) -> None:
    """What never reached the function uses up no retry."""
    b = bench(MaximumRetryAttempts=0)
    b.function.answers = [Unavailable("429")] * times
    b.shard.put(1)
    b.steps(20)
    assert b.function.batches == [["1"]] * (times + 1)
    assert b.progress.position == "1"


def test_an_unavailable_stream_is_asked_again(bench: Callable[..., Bench]) -> None:
    """A throttled GetRecords neither ends the shard nor claims that it is drained."""
    b = bench()
    b.shard.unavailable = True
    b.steps(3)
    assert b.progress.caught_up_at is None
    b.shard.unavailable = False
    b.shard.put(1)
    b.steps(2)
    assert b.progress.position == "1"


def test_it_is_caught_up_only_as_of_an_empty_read(bench: Callable[..., Bench]) -> None:
    """`caught_up_at` is the time before the read that found nothing while nothing was in hand."""
    b = bench()
    b.shard.put(1)
    b.steps(1)
    assert b.progress.caught_up_at is None
    asked_at = b.clock.now
    b.steps(1)
    assert b.progress.caught_up_at == asked_at


def test_the_age_is_that_of_the_oldest_record_in_hand(bench: Callable[..., Bench]) -> None:
    """While a record waits its age grows; with none in hand it is zero."""
    b = bench(MaximumBatchingWindowInSeconds=60)
    b.shard.put(1, at=b.clock.now - 5)
    b.steps(1)
    assert b.progress.iterator_age_ms == 5_000
    b.clock.now += 60
    b.steps(1)
    assert b.progress.iterator_age_ms == 0


def test_a_shard_ends_after_its_last_record(bench: Callable[..., Bench]) -> None:
    """A closed shard delivers what was read from it, without waiting for the window, and ends."""
    b = bench(MaximumBatchingWindowInSeconds=60)
    b.shard.put(1)
    b.shard.ended = True
    b.steps(2)
    assert b.function.batches == [["1"]]
    with pytest.raises(ShardEnded):
        b.consumer.step()


def test_a_large_read_is_delivered_before_the_next(bench: Callable[..., Bench]) -> None:
    """Records in hand are cut into batches without asking the stream again for each."""
    b = bench()
    b.shard.put(*range(1, 31))
    b.steps(9)
    assert b.shard.read_count == 1
    assert len(b.function.batches) == 9
