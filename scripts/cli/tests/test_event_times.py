"""Times as senders write them: epochs, patterns, local times, and the hours that clocks change."""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.times import parse_rfc3339
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.event_times import ClockChange, parse_time_options
from millrace_cli.mapping import parse_mapping
from millrace_cli.put import Source
from millrace_cli.rows import BadRow

BERLIN = "Europe/Berlin"


def converted(
    value: object,
    time_format: str | None = None,
    zone: str | None = None,
    change: ClockChange = ClockChange.REFUSE,
) -> object:
    reader = parse_time_options(time_format, zone, change)
    assert reader is not None
    return reader.apply({"event_time": value, "entity_id": "u"}, 7)["event_time"]


@pytest.mark.parametrize(
    ("value", "time_format", "zone", "expected"),
    [
        ("1442018818", "epoch_s", None, "2015-09-12T00:46:58.000Z"),
        (1442018818.771, "epoch_s", None, "2015-09-12T00:46:58.771Z"),
        ("1442018818.771123", "epoch_s", None, "2015-09-12T00:46:58.771123Z"),
        (1442018818771, "epoch_ms", None, "2015-09-12T00:46:58.771Z"),
        ("1442018818771123", "epoch_us", None, "2015-09-12T00:46:58.771123Z"),
        ("1442018818771123999", "epoch_ns", None, "2015-09-12T00:46:58.771123Z"),
        ("-1", "epoch_s", None, "1969-12-31T23:59:59.000Z"),
        ("12/Sep/2015:00:46:58 +0200", "%d/%b/%Y:%H:%M:%S %z", None, "2015-09-11T22:46:58.000Z"),
        ("12.09.2015 02:46:58", "%d.%m.%Y %H:%M:%S", BERLIN, "2015-09-12T00:46:58.000Z"),
        ("2015-09-12", "%Y-%m-%d", "UTC", "2015-09-12T00:00:00.000Z"),
        ("20150912", "%Y%m%d", "America/New_York", "2015-09-12T04:00:00.000Z"),
        ("2015-09-12 02:46:58.771", None, BERLIN, "2015-09-12T00:46:58.771Z"),
        ("2015-09-12T02:46:58", "rfc3339", BERLIN, "2015-09-12T00:46:58.000Z"),
        ("2015-09-12T02:46:58-05:00", None, BERLIN, "2015-09-12T07:46:58.000Z"),
        ("2015-01-12T02:46:58", None, BERLIN, "2015-01-12T01:46:58.000Z"),
    ],
)
def test_a_time_becomes_rfc_3339_in_utc(
    value: object, time_format: str | None, zone: str | None, expected: str
) -> None:
    """Each way of writing names the one instant, to the microsecond that it gives."""
    assert converted(value, time_format, zone) == expected


@pytest.mark.parametrize(
    ("local", "earlier", "later", "what"),
    [
        ("2025-10-26T02:30:00", "2025-10-26T00:30:00.000Z", "2025-10-26T01:30:00.000Z", "twice"),
        ("2025-03-30T02:30:00", "2025-03-30T00:30:00.000Z", "2025-03-30T01:30:00.000Z", "never"),
    ],
)
def test_hours_that_the_clocks_repeat_or_skip(
    local: str, earlier: str, later: str, what: str
) -> None:
    """They are refused, line and remedy named, unless --clock-change says which instant."""
    with pytest.raises(BadRow) as caught:
        converted(local, None, BERLIN)
    assert caught.value.line == 7
    assert what in caught.value.problem
    assert "--clock-change" in caught.value.remedy
    assert converted(local, None, BERLIN, ClockChange.EARLIER) == earlier
    assert converted(local, None, BERLIN, ClockChange.LATER) == later


@given(st.dates(date(1990, 1, 1), date(2030, 1, 1)), st.times(), st.sampled_from([BERLIN, "UTC"]))
def test_local_times_come_back(day: date, time: time, zone: str) -> None:
    """Any instant, written in local time with its offset left out, is one of the two readings."""
    at = datetime.combine(day, time, UTC)
    local = at.astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat()
    readings = {
        parse_rfc3339(str(converted(local, None, zone, change)))
        for change in (ClockChange.EARLIER, ClockChange.LATER)
    }
    assert at in readings


@given(st.dates(date(1970, 1, 1), date(2200, 1, 1)), st.times())
def test_epochs_are_exact(day: date, time: time) -> None:
    """Microseconds survive, whatever a float would have made of them."""
    at = datetime.combine(day, time, UTC)
    micros = (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert parse_rfc3339(str(converted(str(micros), "epoch_us"))) == at
    assert parse_rfc3339(str(converted(f"{micros}000", "epoch_ns"))) == at


@pytest.mark.parametrize(
    ("value", "time_format", "zone", "problem"),
    [
        ("soon", "epoch_s", None, "not a number"),
        ("NaN", "epoch_s", None, "not a number"),
        ("9" * 30, "epoch_s", None, "not a number"),
        (True, "epoch_ms", None, "not a number"),
        ("2015-09-12", "%d/%m/%Y", "UTC", "not of the form %d/%m/%Y"),
        ("12th of September", None, "UTC", "not RFC 3339"),
        ("2015-09-12T00:00:00", "rfc3339", None, "has no offset"),
        ("0001-01-01T00:00:00", None, "Asia/Tokyo", "out of range"),
    ],
)
def test_a_time_that_cannot_be_read_names_its_line(
    value: object, time_format: str | None, zone: str | None, problem: str
) -> None:
    """The file is refused before anything is sent; the row, the value and a remedy are named."""
    with pytest.raises(BadRow) as caught:
        converted(value, time_format, zone)
    assert str(caught.value).startswith("line 7: event_time ")
    assert problem in caught.value.problem


@pytest.mark.parametrize(
    ("time_format", "zone", "named"),
    [
        ("%Y-%m-%d", None, "--tz UTC"),
        ("%H:%M", "UTC", "does not say the day"),
        ("%b %d %H:%M:%S", "UTC", "does not say the day"),
        ("%Q", "UTC", "bad directive"),
        ("%Y-%m-%d %Z", "UTC", "%Z"),
        ("epoch", "UTC", "strptime pattern"),
        ("epoch_s", "UTC", "leave --tz out"),
        ("%Y-%m-%dT%H:%M:%S%z", "UTC", "leave --tz out"),
        (None, "Mars/Olympus", "no such time zone"),
        (None, "../etc/passwd", "no such time zone"),
    ],
)
def test_options_that_make_no_sense_are_wrong_use(
    time_format: str | None, zone: str | None, named: str
) -> None:
    """A format without a day, a zone too many or too few: said before the file is read."""
    with pytest.raises(CommandError) as caught:
        parse_time_options(time_format, zone)
    assert caught.value.code is ExitCode.USAGE
    assert named in str(caught.value)


def test_mapped_and_plain_rows_are_both_changed(tmp_path: Path) -> None:
    """With --map the mapped column; without, the row's own event_time, everything else kept."""
    file = tmp_path / "rows.ndjson"
    file.write_text(
        '{"event_time":1442018818771,"entity_id":"a","t":1,"big":9007199254740993}\n'
        '{"event_time":null,"entity_id":"b","t":"1.5","big":0}\n'
    )
    times = parse_time_options("epoch_ms", None)
    plain = [orjson.loads(record.data) for record in Source(str(file), times=times).records()]
    assert plain == [
        {"event_time": "2015-09-12T00:46:58.771Z", "entity_id": "a", "t": 1,
         "big": 9007199254740993},
        {"event_time": None, "entity_id": "b", "t": "1.5", "big": 0},
    ]  # fmt: skip
    mapping = parse_mapping(["event_time=t entity_id=entity_id event_type=const:e"])
    source = Source(str(file), mapping, times=parse_time_options("epoch_s", None))
    mapped = [orjson.loads(record.data) for record in source.records()]
    assert [event["event_time"] for event in mapped] == [
        "1970-01-01T00:00:01.000Z",
        "1970-01-01T00:00:01.500Z",
    ]
    assert mapped[0]["payload"]["event_time"] == 1442018818771
