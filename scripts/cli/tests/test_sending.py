from collections.abc import Callable
from itertools import islice

import pytest
from tenacity import wait_none

from millrace_cli.errors import CommandError
from millrace_cli.records import OutRecord
from millrace_cli.sending import Pacer, Placed, Progress, send

THROTTLED = "ProvisionedThroughputExceededException"


def records(count: int) -> list[OutRecord]:
    return [OutRecord(b"%d" % number, f"k{number % 7}", "edit") for number in range(count)]


def test_full_batches_in_order(stream: object, make_stream: Callable[..., object]) -> None:
    """1,100 records are two batches of 500 and one of 100, and arrive in order."""
    fake, progress = make_stream(), Progress()
    send(records(1100), fake, progress)
    assert [len(call) for call in fake.calls] == [500, 500, 100]
    assert fake.records == records(1100)
    assert (progress.sent, progress.batches, progress.retried) == (1100, 3, 0)
    assert progress.event_types == {"edit": 1100}


def test_only_failed_records_are_put_again(make_stream: Callable[..., object]) -> None:
    """Kinesis refuses some: those alone are retried, before anything later is sent."""

    def verdict(call: int, record: OutRecord) -> str | None:
        refused = call == 0 and int(record.data) % 100 == 3
        return THROTTLED if refused or (call == 1 and record.data == b"303") else None

    fake, progress = make_stream(verdict), Progress()
    send(records(600), fake, progress, backoff=wait_none())
    assert [len(call) for call in fake.calls] == [500, 5, 1, 100]
    assert [record.data for record in fake.calls[1]] == [b"3", b"103", b"203", b"303", b"403"]
    assert sorted(record.data for record in fake.records) == sorted(r.data for r in records(600))
    assert len(fake.records) == 600
    assert (progress.sent, progress.retried, progress.batches) == (600, 6, 2)


def test_the_last_place_on_each_shard_is_known() -> None:
    """Sequence numbers are compared as numbers, whatever order the answers come in."""
    progress = Progress()
    for placed in (Placed("a", 9), Placed("a", 10), Placed("b", 3), Placed("a", 8)):
        progress.place(placed)
    assert progress.last_placed == {"a": 10, "b": 3}


def test_progress_counts_whole_batches_only(make_stream: Callable[..., object]) -> None:
    """After a failure `sent` is where to resume: all before it is on the stream."""

    def failing() -> object:
        yield from islice(records(1100), 1050)
        raise CommandError("the file ended", "copy it again")

    fake, progress = make_stream(), Progress()
    with pytest.raises(CommandError):
        send(failing(), fake, progress)
    assert progress.sent == len(fake.records) == 1000


def test_it_gives_up_with_the_last_error_code(
    make_stream: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that keep failing end the put with their error code and what to do."""
    monkeypatch.setattr("millrace_cli.sending.GIVE_UP_S", 0.01)
    fake = make_stream(lambda _call, record: THROTTLED if record.data == b"1" else None)
    with pytest.raises(CommandError, match=f"1 records .*{THROTTLED}.*add shards"):
        send(records(3), fake, Progress(), backoff=wait_none())


def test_the_rate_is_kept_evenly(make_stream: Callable[..., object]) -> None:
    """At 100 events/s a quarter of a second's go at once, and 100 events take about a second."""
    now = [0.0]
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        now[0] += seconds

    pacer = Pacer(100, clock=lambda: now[0], wait=wait)
    assert pacer.batch_records == 25
    for _ in range(5):
        pacer.before(25)
    assert now[0] == pytest.approx(1.0)
    now[0] += 60  # lost time is not caught up in a burst
    pacer.before(25)
    pacer.before(25)
    assert waits[-1] == pytest.approx(0.25)


@pytest.mark.parametrize(("rate", "batch"), [(0.5, 1), (3, 1), (8, 2), (1e6, 500)])
def test_batches_at_any_rate(rate: float, batch: int) -> None:
    """A batch has 1 to 500 records at every rate."""
    assert Pacer(rate).batch_records == batch
