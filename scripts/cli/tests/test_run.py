import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import orjson
import pytest

from millrace.aggregates import AggregateKey, AggregateRow, Dimension, Scope
from millrace.aws.aggregate_fields import row_json
from millrace.windows import WindowWidth, window_of
from millrace_cli.aggregates import AggregateQuery
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.generate.sample import make_sample
from millrace_cli.put import Source
from millrace_cli.run import (
    SAMPLE,
    RunSteps,
    Sent,
    latest_hours,
    run_events,
    send_file,
    send_sample,
    write_report,
)
from millrace_cli.sending import Progress
from millrace_cli.status import QueueDepth, ShardStatus, StageCounts, Status
from millrace_cli.tables.run import show_run

_HOUR_0 = datetime(2025, 12, 28, tzinfo=UTC)


def status(received: int, **counts: int) -> Status:
    return Status(
        (ShardStatus("shardId-0", received, 0, False, StageCounts(received=received, **counts)),)
    )


class Silent:
    """A reporter for no one."""

    def step(self, text: str) -> None: ...

    def settling(self, status: Status, baseline: StageCounts, sent: int) -> None: ...


def run(readings: list[Status], sent: int) -> object:
    left = iter(readings)
    steps = RunSteps(
        read_status=lambda: next(left, readings[-1]),
        send=lambda: Sent(sent, 100, 0, 0.5, {"edit": sent}, "a file", {}),
        aggregates_of=lambda types: [row(types[0], datetime(2015, 9, 12, 13, tzinfo=UTC))],
        quarantined_between=lambda before, after: {"not_json": after.totals.quarantined},
        archive_location="s3://b/archive/",
        clock=lambda: 0.0,
    )
    return run_events(steps, Silent(), stall_s=0.1)


def row(event_type: str, start: datetime) -> AggregateRow:
    window = window_of(start, WindowWidth.HOUR)
    key = AggregateKey(Scope.of(Dimension.TYPE, event_type), window, "event_count")
    return AggregateRow(key, 5, 5, 7, (), "d", start)


def test_a_run_counts_its_own_events_and_the_totals_apart(tmp_path: Path) -> None:
    """What was there before is in the totals only; the file says the same."""
    before = status(100, accepted=100, enriched=100, aggregated=100, archived=100)
    after = status(110, accepted=104, duplicates=6, enriched=104, aggregated=104, archived=104)
    report = run([before, after], sent=10)
    assert report.gaps == ()
    write_report(tmp_path / "deep" / "run.json", report)
    written = json.loads((tmp_path / "deep" / "run.json").read_text())
    assert (written["run"]["sent"], written["run"]["received"]) == (10, 10)
    assert (written["run"]["accepted"], written["run"]["duplicates"]) == (4, 6)
    assert written["run"]["quarantined_by_reason"] == {"not_json": 0}
    assert (written["totals"]["received"], written["totals"]["archived"]) == (110, 104)
    assert written["aggregates"][0]["scope"] == "TYPE#edit"
    assert written["archive"] == "s3://b/archive/"


def test_people_see_the_sum_the_reasons_and_the_latest_hours(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Received is what the three counts add up to; of a long history the end is shown."""
    after = status(
        10, accepted=6, duplicates=1, quarantined=3, enriched=6, aggregated=6, archived=6
    )
    found = run([status(0), after], sent=10)
    hours = [row("edit", _HOUR_0 + timedelta(hours=number)) for number in range(20)]
    show_run(replace(found, aggregates=hours))
    shown = capsys.readouterr().out
    assert "received 10 = accepted 6 + duplicates 1 + quarantined 3" in shown
    assert "not_json" in shown
    assert "2025-12-28T12:00:00Z" in shown
    assert "2025-12-28T11:00:00Z" not in shown


def test_gaps_from_before_the_run_are_told_apart() -> None:
    """An old dead letter and its commit are named as old; what the run adds is its own."""
    old = StageCounts(accepted=5, unfinished_commits=1)
    new = StageCounts(accepted=2, enriched=2, aggregated=2, unfinished_commits=1)

    def reading(received: int, dead: int, unfinished: dict[int, StageCounts]) -> Status:
        counts = sum(unfinished.values(), StageCounts(received=received))
        shard = ShardStatus("shardId-0", received, 0, False, counts, unfinished=unfinished)
        return Status((shard,), (), (QueueDepth("archive", dead, 0),))

    report = run([reading(5, 1, {1: old}), reading(7, 2, {1: old, 6: new})], sent=2)
    assert [(gap.what, gap.count, gap.before_this_run) for gap in report.gaps] == [
        ("messages in dead-letter queues", 1, False),
        ("events not yet archived", 2, False),
        ("commits unfinished", 1, False),
        ("messages in dead-letter queues", 1, True),
        ("events not yet enriched", 5, True),
        ("events not yet aggregated", 5, True),
        ("events not yet archived", 5, True),
        ("commits unfinished", 1, True),
    ]
    assert "1 commits unfinished, from before this run; " in str(report.gaps[-1])
    assert report.as_dict()["run"]["unaccounted"][-1]["before_this_run"]


@pytest.mark.parametrize("from_file", [True, False])
def test_an_interrupted_run_says_to_run_again(
    from_file: bool, tmp_path: Path, make_stream: Callable[..., object]
) -> None:
    """`run` has no --skip: what was sent is sent again, as duplicates."""

    def interrupted(call: int, _record: object) -> None:
        if call == 1:
            raise KeyboardInterrupt

    file = tmp_path / "events.ndjson"
    file.write_text('{"entity_id":"u"}\n' * 600)
    stream, progress = make_stream(interrupted), Progress()
    with pytest.raises(CommandError) as caught:
        _ = (
            send_file(Source(str(file)), stream, progress)
            if from_file
            else send_sample(make_sample(SAMPLE), stream, progress)
        )
    assert str(caught.value) == (
        "interrupted (500 events were sent); run it again: what was sent counts as duplicates"
    )
    assert caught.value.code is ExitCode.INTERRUPTED


def test_the_report_keeps_every_digit_of_a_sum(tmp_path: Path) -> None:
    """Sums are exact in the table; a float or a 64-bit integer would cut them."""
    exact = [Decimal("12345678901234567890.123456789"), 2**70]
    rows = [replace(row("edit", _HOUR_0), value=value) for value in exact]
    written = orjson.dumps([row_json(each) for each in rows], option=orjson.OPT_INDENT_2)
    assert [each["value"] for each in json.loads(written, parse_float=Decimal)] == exact


def test_records_that_never_arrive_are_unaccounted_for() -> None:
    """The difference between sent and received is named first."""
    report = run([status(0), status(7, accepted=7, enriched=7, aggregated=7, archived=7)], sent=10)
    assert [(gap.what, gap.count) for gap in report.gaps] == [("records sent but not received", 3)]


def test_the_sample_is_sent_whole_and_told(make_stream: Callable[..., object]) -> None:
    """Every line of the generated sample goes out as it is, malformed ones too."""
    stream = make_stream()
    sample = make_sample(SAMPLE)
    sent = send_sample(sample, stream, Progress())
    assert [record.data for record in stream.records] == list(sample.lines)
    assert sent.records == 2_060
    assert sent.what == (
        "a made-up sample of 2,060 records: 2,000 events (20 of them late), 40 duplicates, "
        "20 malformed"
    )
    keys = {record.partition_key for record in stream.records}
    assert {"user_1", "user_2"} <= keys


def test_latest_hours_bounds_what_is_shown() -> None:
    """A long history is cut to its last two days for each type."""

    class Table:
        def rows(self, query: AggregateQuery) -> list[AggregateRow]:
            return [row(query.scope.ids[0], _HOUR_0 + timedelta(hours=n)) for n in range(100)]

    shown = latest_hours(Table(), ["a", "b"])
    assert len(shown) == 96
    assert shown[0].key.window.start == _HOUR_0 + timedelta(hours=52)
    assert [row.key.scope.ids[0] for row in shown[47:49]] == ["a", "b"]
