"""Each rule of the mapping as a schedule with its exact invocations.

`at: records` says when the function was invoked and with which records, counted from 0. A read
takes 0.02 s, an invocation 0.1 s, a poll comes every second, the first retry 1 s after a failure.
The rules with their pages and these tests: docs/event-source-mapping.md.
"""

import json
from itertools import pairwise
from math import inf

import pytest

from millrace_mapping.core.batching import MAX_PAYLOAD_BYTES
from millrace_mapping.core.effects import ReadFault
from millrace_mapping.core.measures import Metric, Result
from millrace_mapping.core.settings import Origin, Start
from millrace_mapping.simulation.roles import FairWeather
from millrace_mapping.simulation.scene import (
    Scene,
    answers,
    lasting,
    poisoned,
    raises,
    reports,
    succeeds,
    throttled,
)

PARTIAL = {"reports_item_failures": True}
QUEUE = "arn:aws:sqs:us-east-1:000000000000:discarded"


# Batching


def test_a_batch_goes_as_soon_as_records_are_available():
    """Without a window a single record is not kept waiting.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    scene = Scene(batch_size=10).put("a").put("b", "c", at=5).run()
    assert scene.told() == ["0.04: 0", "5.08: 1-2"]


def test_a_batch_holds_at_most_the_batch_size():
    """What is left over makes further batches, one after the other.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    scene = Scene(batch_size=3).put(*"abcdefg").run()
    assert scene.told() == ["0.04: 0-2", "0.14: 3-5", "0.24: 6"]


def test_a_window_gathers_until_it_has_passed():
    """It is counted from the first record read, and opens anew after each batch.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
    """
    scene = Scene(batch_size=10, window_s=10).put("a").put("b", at=4).put("c", at=30).run()
    assert scene.told() == ["10.04: 0-1", "40.08: 2"]


def test_a_full_batch_does_not_wait_for_the_window():
    """Batch size, window or payload: whichever comes first.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
    """
    scene = Scene(batch_size=3, window_s=300).put("a").put("b", "c", at=5).run()
    assert scene.told() == ["5.08: 0-2"]


def test_a_batch_ends_at_six_megabytes_of_base64():
    """Four records of 1 MB fit into an event as base64, five do not; a window is then over.

    https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    """
    scene = Scene(batch_size=100, window_s=60)
    scene.put(*"abcde", data=b"x" * 1_048_576).run()
    assert scene.told() == ["0.04: 0-3", "60.04: 4"]
    sent = scene.audit.timeline
    assert sent is not None
    assert 5 * (1_048_576 * 4 // 3) > MAX_PAYLOAD_BYTES > 4 * (1_048_576 * 4 // 3)


def test_a_batch_holds_records_of_one_shard():
    """Shards are independent of each other.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    scene = Scene(batch_size=10, shards=2).put(*"abcdef").run()
    shards = {shard_id: set() for shard_id in ("shardId-000000000000", "shardId-000000000001")}
    for shard_id, record in scene.stream.records():
        shards[shard_id].add(record.sequence)
    assert all(set(call.sequences) == shards[call.shard_id] for call in scene.calls)
    assert len(scene.calls) == 2


# Starting positions


@pytest.mark.parametrize(
    ("start", "batches"),
    [
        (Start(Origin.TRIM_HORIZON), ["0-1", "2"]),
        (Start(Origin.LATEST), ["2"]),
        (Start(Origin.AT_TIMESTAMP, at=-5), ["1", "2"]),
    ],
)
def test_starting_positions(start, batches):
    """All there is, only what comes, or everything from a time on.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    scene = Scene(start=start)
    scene.audit.since = {Origin.LATEST: 0, Origin.AT_TIMESTAMP: -5}.get(start.origin, -inf)
    scene.put("a", at=-10).put("b", at=-5).put("c", at=5).run()
    assert scene.batches() == batches


# Answers


def test_the_lowest_reported_record_wins():
    """Everything from it on comes again, whatever the order of the list; what is before is done.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(reports(3, 1, 2), batch_size=5, **PARTIAL).put(*"abcde").run()
    assert scene.told() == ["0.04: 0-4", "1.14: 1-4"]


@pytest.mark.parametrize(
    "response",
    [b"", b"null", "", [], {}, {"batchItemFailures": []}, {"batchItemFailures": None}],
    ids=repr,
)
def test_empty_and_null_answers_are_success(response):
    """A response or list that is empty or null means that all is done.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(answers(response, done=True), **PARTIAL).put(*"ab").run()
    assert scene.told() == ["0.04: 0-1"]


@pytest.mark.parametrize(
    "item",
    [
        {"itemIdentifier": ""},
        {"itemIdentifier": None},
        {"id": "1000"},
        {"itemIdentifier": "999"},
        {"itemIdentifier": 1000},
    ],
    ids=repr,
)
def test_an_identifier_that_names_no_record_fails_the_batch(item):
    """Empty, null, badly keyed and unknown identifiers repeat everything, also beside a good one.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    response = {"batchItemFailures": [{"itemIdentifier": "1001"}, item]}
    scene = Scene(answers(response, done=False), **PARTIAL).put(*"ab").run()
    assert scene.told() == ["0.04: 0-1", "1.14: 0-1"]


def test_without_the_response_type_the_answer_is_not_looked_at():
    """ReportBatchItemFailures has to be turned on.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    answer = {"batchItemFailures": [{"itemIdentifier": "1000"}]}
    assert Scene(answers(answer, done=True)).put(*"ab").run().told() == ["0.04: 0-1"]


def test_an_error_stops_the_shard():
    """Nothing further of the shard is processed until the failed batch is done with.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    scene = Scene(raises, raises, batch_size=2).put(*"abcd").run()
    assert scene.told() == ["0.04: 0-1", "1.14: 0-1", "3.24: 0-1", "3.34: 2-3"]


def test_a_retried_batch_stays_as_it_was():
    """Records that came meanwhile do not join it.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(raises, batch_size=10).put(*"ab").put("c", at=0.5).run()
    assert scene.batches() == ["0-1", "0-1", "2"]


# Bisecting


def test_a_failed_batch_is_halved():
    """The first half is tried before the second; what comes later has the full batch size again.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(raises, batch_size=4, bisects=True).put(*"abcdefgh").run()
    assert scene.batches() == ["0-3", "0-1", "2-3", "4-7"]


def test_splitting_uses_up_no_retry():
    """With no retry at all a poisonous record still ends up alone; the others are processed.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(raises, succeeds, raises, raises, batch_size=4, bisects=True, retries=0)
    scene.put(*"abcd").run()
    assert scene.batches() == ["0-3", "0-1", "2-3", "2", "3"]
    assert scene.discarded() == ["2: RetryAttemptsExhausted"]


def test_a_batch_is_halved_whatever_is_reported():
    """An invocation that fails is bisected also where item failures are reported.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(raises, batch_size=4, bisects=True, **PARTIAL).put(*"abcd").run()
    assert scene.batches() == ["0-3", "0-1", "2-3"]


def test_a_partial_answer_splits_at_the_returned_record():
    """With both turned on only what is left from the returned record on is retried.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(reports(1), batch_size=4, bisects=True, **PARTIAL).put(*"abcd").run()
    assert scene.batches() == ["0-3", "1-3"]


def test_an_answer_that_names_the_first_record_halves_the_batch():
    """Nothing lies before the first record, so that there is nowhere to split but in the middle.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(
        reports(0), reports(0), reports(0), batch_size=4, bisects=True, retries=0, **PARTIAL
    )
    scene.put(*"abcd").run()
    assert scene.batches() == ["0-3", "0-1", "0", "1", "2-3"]
    assert scene.discarded() == ["0: RetryAttemptsExhausted"]


# Retries and ages


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_batch_is_tried_once_and_then_as_often_as_it_may(retries):
    """MaximumRetryAttempts counts what follows the first attempt.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    scene = Scene(*[raises] * (retries + 1), retries=retries).put(*"ab").run()
    assert scene.batches() == ["0-1"] * (retries + 1)
    assert scene.discarded() == ["0-1: RetryAttemptsExhausted"]


def test_without_a_limit_a_batch_is_tried_until_the_stream_drops_it():
    """-1 means for ever, and for ever ends with the stream's retention: the shard then goes on.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    scene = Scene(otherwise=poisoned(0), retention_s=3600).put("a").put("b", at=5000).run()
    assert set(scene.batches()[:-1]) == {"0"}
    assert scene.calls[-2].at < 3600 < scene.calls[-1].at
    assert scene.batches()[-1] == "1"
    assert scene.discarded() == []


def test_progress_renews_the_retries():
    """What is left after a partial answer is a batch of its own, with all its retries.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-batchfailurereporting.html
    """
    scene = Scene(reports(2), *[reports(2)] * 4, retries=3, batch_size=3, **PARTIAL)
    scene.put(*"abc").run()
    assert scene.batches() == ["0-2", "2", "2", "2", "2"]
    (discard,) = scene.audit.discards
    assert discard.invocations == 4


def test_a_throttle_is_no_attempt():
    """What never reached the function uses up no retry, however often it happens.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(*[throttled] * 4, retries=0).put("a").run()
    assert scene.batches() == ["0"] * 5
    assert scene.discarded() == []


def test_waits_between_attempts_grow_to_a_minute():
    """AWS does not say how long they are; a poisonous batch must neither spin nor be forgotten.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(*[raises] * 9).put("a").run()
    times = [call.at for call in scene.calls]
    waits = [round(later - sooner - 0.1) for sooner, later in pairwise(times)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_record_that_is_too_old_is_never_sent():
    """Older ones are given up before the function sees them; younger ones go.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
    """
    scene = Scene(record_age_s=60, batch_size=3)
    scene.put("a", "b", at=-61).put("c", "d").run()
    assert scene.batches() == ["2", "3"]
    assert scene.discarded() == ["0-1: RecordAgeExceeded"]


def test_a_batch_grows_too_old_between_attempts():
    """The age ends retries that have no limit of their own, and goes before one that has.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(*[raises] * 50, record_age_s=60, retries=100).put("a").run()
    assert scene.calls[-1].at <= 60
    assert scene.discarded() == ["0: RecordAgeExceeded"]


def test_a_throttled_batch_grows_too_old():
    """Throttles are retried until the records expire or exceed the maximum age.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(*[throttled] * 50, record_age_s=60).put("a").run()
    assert scene.discarded() == ["0: RecordAgeExceeded"]


# Destinations (the documents: test_discards.py)


def test_a_discarded_batch_goes_to_the_destination_and_the_shard_goes_on():
    """One document for each batch that was given up, before what follows it.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(raises, batch_size=2, retries=0, destination_arn=QUEUE).put(*"abcd").run()
    assert scene.delivered() == ["0-1"]
    assert scene.told() == ["0.04: 0-1", "0.16: 2-3"]


def test_without_a_destination_a_discarded_batch_is_gone():
    """Lambda discards the records and continues: nothing is kept, and the metric says so.

    https://docs.aws.amazon.com/lambda/latest/dg/kinesis-on-failure-destination.html
    """
    scene = Scene(raises, batch_size=2, retries=0).put(*"abcd").run()
    assert scene.delivered() == []
    assert scene.batches() == ["0-1", "2-3"]
    assert total(scene, Metric.DROPPED) == 2


class DestinationAway(FairWeather):
    """A destination that cannot be reached until `back`."""

    def __init__(self, back: float) -> None:
        self.back = back

    def destination_fault(self, now):
        return "away" if now < self.back else None


def test_a_destination_is_tried_several_times():
    """The shard stands meanwhile; each refusal is counted.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    scene = Scene(raises, retries=0, destination_arn=QUEUE, weather=DestinationAway(5))
    scene.put("a").put("b", at=1).run()
    assert scene.delivered() == ["0"]
    assert total(scene, Metric.DELIVERY_FAILURES) == 3
    assert scene.batches() == ["0", "1"]


def test_a_destination_that_stays_away_does_not_stop_the_shard():
    """After five refusals the batch is dropped, and counted as dropped.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    scene = Scene(raises, retries=0, destination_arn=QUEUE, weather=DestinationAway(inf))
    scene.put("a").put("b", at=1).run()
    assert scene.delivered() == []
    assert total(scene, Metric.DROPPED) == 1
    assert scene.batches() == ["0", "1"]


# Concurrent batches of a shard


def test_a_shard_is_processed_by_several_batches_at_once():
    """Up to ParallelizationFactor batches run at the same time, each with keys of its own.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    scene = Scene(otherwise=lasting(10), batch_size=2, parallelization=3).put(*"abgabgabg").run()
    assert [call.at for call in scene.calls] == [0.04, 0.04, 0.04, 10.04, 10.04, 10.04]
    assert sorted(scene.batches()) == ["0 3", "1 4", "2 5", "6", "7", "8"]


def test_a_key_keeps_its_order_while_others_go_on():
    """A failing batch holds up the keys of its lane and no others.

    https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html
    """
    scene = Scene(raises, batch_size=1, parallelization=2).put(*"adad").run()
    assert scene.told() == ["0.04: 1", "0.04: 0", "0.14: 2", "1.14: 1", "1.24: 3"]


def test_the_position_waits_for_the_slowest_lane():
    """Nothing is skipped after a crash, although a later record was done before an earlier one.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    scene = Scene(lasting(30), batch_size=1, parallelization=2).put(*"adad")
    scene.at(10, scene.world.crash).run()
    assert scene.told() == [
        "0.04: 1", "0.04: 0", "0.14: 2", "10.04: 1", "10.04: 2", "10.14: 3",
    ]  # fmt: skip


# Filters (their rules: test_filtering.py)


def test_records_that_match_no_filter_are_passed_over():
    """They count as done, and a window gathers only those that match.

    https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
    """
    pattern = json.dumps({"data": {"kind": ["view"]}})
    scene = Scene(filters=(pattern,), batch_size=2, window_s=10)
    scene.audit.passes_filter = lambda record: b"view" in record.data
    scene.put("a", data=b'{"kind": "view"}').put("b", "c", data=b'{"kind": "noise"}')
    scene.put("d", data=b"not json").put("e", at=3, data=b'{"kind": "view"}').run()
    assert scene.told() == ["3.08: 0 4"]
    assert total(scene, Metric.FILTERED_OUT) == 3
    assert machine(scene).position == "1004"


# Resharding


def test_children_wait_for_their_parent():
    """What was put before a split is done with before anything after it is begun.

    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
    """
    scene = Scene(raises, raises, batch_size=10).put("a", "b")
    scene.at(1, lambda: scene.stream.split("shardId-000000000000"))
    scene.put("a", "b", at=2).run()
    assert scene.batches()[:3] == ["0-1"] * 3
    assert sorted(scene.batches()[3:]) == ["2", "3"]
    assert {call.shard_id[-1] for call in scene.calls[3:]} == {"1", "2"}


def test_a_merged_shard_waits_for_both_parents():
    """The child of two shards is read when both are done with.

    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
    """
    scene = Scene(lasting(60), lasting(5), shards=2).put("a", "b")
    scene.at(1, lambda: scene.stream.merge("shardId-000000000000", "shardId-000000000001"))
    scene.put("c", at=2).run()
    assert [call.shard_id[-1] for call in scene.calls] == ["0", "1", "2"]
    assert scene.calls[2].at > 60


def test_a_closed_shard_does_not_wait_for_its_window():
    """Nothing more will come, so its last batch goes at once.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    scene = Scene(batch_size=10, window_s=300).put("a")
    scene.at(5, lambda: scene.stream.split("shardId-000000000000")).run()
    assert scene.told() == ["5.08: 0"]


def test_shards_that_appear_later_are_read_from_their_start():
    """Also under LATEST: what came while the split was noticed is not passed over.

    https://docs.aws.amazon.com/streams/latest/dev/kinesis-using-sdk-java-after-resharding.html
    """
    scene = Scene(start=Start(Origin.LATEST))
    scene.audit.since = 0.0
    scene.put("old", at=-1).put("a", at=10)

    def split_and_put() -> None:
        scene.stream.split("shardId-000000000000")
        for key in "bcd":
            scene.audit.put(*scene.stream.put(key, b"{}", 20.0))

    scene.at(20, split_and_put).run()
    assert sorted(number for call in scene.calls for number in call.sequences) == [
        "1001", "1002", "1003", "1004",
    ]  # fmt: skip


# Reading


def test_an_expired_iterator_is_replaced_where_the_last_one_stood():
    """An iterator lives for five minutes; a shard that was blocked for longer goes on behind it.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
    """
    scene = Scene(lasting(400), batch_size=1).put(*"ab").put(*"cd", at=200).run()
    assert scene.batches() == ["0", "1", "2", "3"]
    assert any("expired" in line for line in scene.audit.timeline.lines())


def test_an_expired_iterator_at_the_tip_loses_nothing():
    """LATEST once more would pass over what came since: it is the first opening that counts.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetShardIterator.html
    """
    scene = Scene(start=Start(Origin.LATEST))
    scene.audit.since = 0.0
    scene.put("old", at=-1)
    scene.at(10, scene.world.pause).put("a", at=20).at(500, scene.world.resume).run()
    assert scene.batches() == ["1"]


class Rain(FairWeather):
    """Reads fail with these faults, one after the other, then no more."""

    def __init__(self, *faults: ReadFault) -> None:
        self.faults = list(faults)

    def read_fault(self, now):
        return self.faults.pop(0) if self.faults else None


def test_a_throttled_read_is_repeated_later():
    """Reads that exceed the shard's throughput neither end the shard nor lose a record.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    scene = Scene(weather=Rain(*[ReadFault.THROTTLED] * 3)).put("a").run()
    assert scene.told() == ["7.1: 0"]


def test_a_role_that_may_not_read_is_named():
    """The mapping says so in its last result, and goes on when the right is there.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    scene = Scene(weather=Rain(*[ReadFault.DENIED] * 2)).put("a")
    seen = []
    scene.at(2, lambda: seen.append(machine(scene).last_result)).run()
    assert seen == [Result.DENIED]
    assert machine(scene).last_result is Result.OK


def test_reading_ahead_is_bounded():
    """While a batch is retried no more than a page or two of what follows is kept in memory.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    scene = Scene(lasting(3600), batch_size=10).put(*"abcdefghijkl")
    seen = []
    for when in range(10, 100, 10):
        scene.put(*"abcdefghijkl", at=when, data=b"x" * 1_000_000)
        scene.at(when + 5, lambda: seen.append(machine(scene).open_count))
    scene.run()
    assert max(seen) < 40
    assert len({number for call in scene.calls for number in call.sequences}) == 120


# Pausing


def test_a_paused_mapping_resumes_where_it_was():
    """What runs is finished, nothing new is begun; it goes on after the last record processed.

    https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-create.html
    """
    scene = Scene(lasting(5), batch_size=2).put(*"abcd")
    scene.at(1, scene.world.pause).at(60, scene.world.resume).run()
    assert scene.told() == ["0.04: 0-1", "60: 2-3"]


# What it says about itself


def test_the_iterator_age_is_that_of_the_last_record():
    """Measured in milliseconds when the function has finished with the batch.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    scene = Scene(lasting(3)).put("a", at=-10).put("b", at=-4).run()
    assert [m.value for m in measures(scene, Metric.ITERATOR_AGE)] == [pytest.approx(7040)]


def test_events_are_counted_as_cloudwatch_does():
    """Polled once, invoked once for each attempt, failed, dropped or delivered.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
    """
    scene = Scene(raises, throttled, raises, batch_size=2, retries=1, destination_arn=QUEUE)
    scene.put(*"abc").run()
    counts = {metric: total(scene, metric) for metric in Metric if metric.endswith("EventCount")}
    assert counts == {
        Metric.POLLED: 3,
        Metric.FILTERED_OUT: 0,
        Metric.INVOKED: 7,
        Metric.FAILED_INVOKE: 6,
        Metric.DROPPED: 0,
        Metric.DELIVERED: 2,
    }


def test_the_last_result_is_in_the_words_of_aws():
    """It says whether records were processed, and whether the last call failed.

    https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html
    """
    scene = Scene(raises).put("a", at=5)
    seen = []
    for when in (1, 6, 20):
        scene.at(when, lambda: seen.append(str(machine(scene).last_result)))
    scene.run()
    assert seen == ["No records processed", "PROBLEM: Function call failed", "OK"]


def machine(scene):
    (found,) = scene.world.mapping.machines.values()
    return found


def measures(scene, metric):
    return [measure for measure in machine(scene).take_measures() if measure.metric is metric]


def total(scene, metric):
    """Return the sum of a metric without taking it away."""
    measured = machine(scene)._measures
    return sum(measure.value for measure in measured if measure.metric is metric)
