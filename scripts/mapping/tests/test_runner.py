"""The threads that carry the core's effects out, on the real clock, over ports in memory."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import pytest
from streams import InMemory

from millrace_mapping.core.discards import Discard
from millrace_mapping.core.measures import Measure, Metric
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.settings import MappingSettings, Origin, Pace, Start
from millrace_mapping.ports import NotInvoked
from millrace_mapping.runner import MappingRunner
from millrace_mapping.shard_runner import Ports
from millrace_mapping.simulation.stream import MemoryStream
from millrace_testing.wait import wait_until

PACE = Pace(idle_s=0.01, first_backoff_s=0.01, longest_backoff_s=0.05)
OK = Answer(b"")
FAILED = Answer(b"", "ValueError: told to")


@dataclass
class Recorder:
    """Function, destination and metrics that keep what they were given."""

    reactions: list[Answer | Exception] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    hold: Callable[[], object] = lambda: None

    def invoke(self, payload: bytes) -> Answer:
        records = json.loads(payload)["Records"]
        self.batches.append([record["kinesis"]["sequenceNumber"] for record in records])
        self.hold()
        reaction = self.reactions.pop(0) if self.reactions else OK
        if isinstance(reaction, Exception):
            raise reaction
        return reaction

    def deliver(self, record: dict[str, Any], discard: Discard) -> None:
        del discard
        self.documents.append(record)

    def publish(self, measures: Sequence[Measure]) -> None:
        self.measures += measures


@pytest.fixture
def stream() -> InMemory:
    return InMemory(MemoryStream(1))


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def begin(stream, recorder):
    """Start a mapping with these settings; all are stopped in the end."""
    runners: list[MappingRunner] = []

    def start(saved=None, **members: Any) -> MappingRunner:
        settings = MappingSettings(
            uuid="u",
            stream_arn="arn:aws:kinesis:us-east-1:000000000000:stream/s",
            function_arn="f",
            role_arn="r",
            start=Start(Origin.TRIM_HORIZON),
            **{"batch_size": 2, "destination_arn": "queue", **members},
        )
        ports = Ports(stream, recorder, recorder, recorder)
        runner = MappingRunner(settings, ports, PACE, saved or {})
        runners.append(runner)
        runner.look()
        return runner

    yield start
    for runner in runners:
        runner.stop()
        wait_until(lambda: not runner.is_running, every_s=0.01)  # noqa: B023 - used at once


def test_records_reach_the_function(stream, recorder, begin):
    """In order, in batches, and what was measured is published."""
    numbers = [stream.put("k", b"x") for _ in range(3)]
    runner = begin()
    wait_until(lambda: len(recorder.batches) == 2, every_s=0.01)
    assert recorder.batches == [numbers[:2], numbers[2:]]
    wait_until(
        lambda: runner.save()["shardId-000000000000"].start.after == numbers[2], every_s=0.01
    )
    runner.look()
    assert sum(m.value for m in recorder.measures if m.metric is Metric.POLLED) == 3


def test_what_is_given_up_reaches_the_destination(stream, recorder, begin):
    """And the shard goes on."""
    numbers = [stream.put("k", b"x") for _ in range(3)]
    recorder.reactions = [FAILED, NotInvoked("429"), FAILED]
    begin(retries=1)
    wait_until(lambda: len(recorder.batches) == 4, every_s=0.01)
    assert recorder.batches == [numbers[:2]] * 3 + [numbers[2:]]
    (document,) = recorder.documents
    assert document["requestContext"]["approximateInvokeCount"] == 2
    assert document["KinesisBatchInfo"]["batchSize"] == 2


def test_a_stopped_runner_finishes_what_runs(stream, recorder, begin):
    """The invocation ends, its records are done with, and nothing new begins."""
    numbers = [stream.put("k", b"x") for _ in range(4)]
    entered, leave = Event(), Event()
    recorder.hold = lambda: (entered.set(), leave.wait())
    runner = begin()
    assert entered.wait(10)
    runner.stop()
    assert runner.is_running
    leave.set()
    wait_until(lambda: not runner.is_running, every_s=0.01)
    saved = runner.save()
    assert saved["shardId-000000000000"].start.after == numbers[1]
    recorder.hold = lambda: None
    begin(saved)
    wait_until(lambda: len(recorder.batches) == 2, every_s=0.01)
    assert recorder.batches == [numbers[:2], numbers[2:]]


def test_children_are_begun_when_their_parent_is_done_with(stream, recorder, begin):
    """By the looks that follow."""
    stream.put("k", b"x")
    stream.split("shardId-000000000000")
    last = stream.put("k", b"y")
    runner = begin()

    def reached() -> bool:
        runner.look()
        return [last] in recorder.batches

    wait_until(reached, every_s=0.01)
    assert len(recorder.batches) == 2


def test_a_fault_of_the_runner_itself_is_said(stream, recorder, begin):
    """A shard never ends in silence: the reason is kept, and others go on."""
    stream.put("k", b"x")
    recorder.reactions = [ZeroDivisionError("a bug")]
    runner = begin()
    (shard,) = runner.shards.values()
    assert "a bug" in wait_until(lambda: shard.broken, every_s=0.01)
    assert not shard.is_running
