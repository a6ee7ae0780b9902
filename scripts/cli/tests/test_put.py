import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.mapping import parse_mapping
from millrace_cli.put import Source, check, put
from millrace_cli.sending import Progress

WIKI = (
    "event_time=time entity_id=user client_id=channel source=const:wikipedia event_type=const:edit"
)


def written(folder: Path, *lines: str) -> str:
    file = folder / "events.ndjson"
    file.write_text("\n".join(lines))
    return str(file)


def events(count: int) -> list[str]:
    return [json.dumps({"entity_id": f"u{n}", "n": n}) for n in range(count)]


def test_a_file_put_twice_sends_the_same_bytes(
    tmp_path: Path, make_stream: Callable[..., object]
) -> None:
    """No send time, no run id: the second put is all duplicates."""
    source = Source(written(tmp_path, *events(700)))
    first, second = make_stream(), make_stream()
    assert put(source, first, Progress()).sent == put(source, second, Progress()).sent == 700
    assert first.records == second.records
    assert [record.data.decode() for record in first.records] == events(700)


def test_the_whole_file_is_checked_first(tmp_path: Path) -> None:
    """A bad last line stops everything before anything is sent, and the error says so."""
    source = Source(written(tmp_path, *events(900), "{oops"))
    with pytest.raises(CommandError, match=r"line 901: not JSON .*nothing was sent"):
        check(source)


def test_a_column_that_a_later_row_lacks_is_found_first(tmp_path: Path) -> None:
    """Every row is mapped in the first pass, not only the first one."""
    rows = ['{"t":"x","u":"1"}', '{"t":"x"}']
    source = Source(
        written(tmp_path, *rows), parse_mapping(["event_time=t entity_id=u event_type=const:e"])
    )
    with pytest.raises(CommandError, match=r"line 2: no column 'u'.*nothing was sent"):
        check(source)


def test_an_empty_file_is_an_error(tmp_path: Path) -> None:
    """Nothing to send, or everything skipped, is said rather than passed over."""
    with pytest.raises(CommandError, match="has no rows"):
        check(Source(written(tmp_path, "")))
    with pytest.raises(CommandError, match="after the first 3"):
        check(Source(written(tmp_path, *events(3)), skip=3))


def test_skip_resumes(tmp_path: Path, make_stream: Callable[..., object]) -> None:
    """`--skip N` leaves out what was sent, and the count of the rest is right."""
    source = Source(written(tmp_path, *events(10)), skip=4)
    fake = make_stream()
    assert check(source) == 6
    summary = put(source, fake, Progress())
    assert (summary.sent, summary.skipped) == (6, 4)
    assert [record.partition_key for record in fake.records] == [f"u{n}" for n in range(4, 10)]


def test_an_interrupt_says_how_to_resume(
    tmp_path: Path, make_stream: Callable[..., object]
) -> None:
    """Ctrl-C ends with code 130, how many were sent, and the --skip that goes on from there."""

    def interrupted(call: int, _record: object) -> None:
        if call == 2:
            raise KeyboardInterrupt

    source = Source(written(tmp_path, *events(2000)), skip=100)
    with pytest.raises(CommandError) as caught:
        put(source, make_stream(interrupted), Progress())
    assert str(caught.value) == "interrupted (1000 events were sent); resume with --skip 1100"
    assert caught.value.code is ExitCode.INTERRUPTED


def test_wikiticker_maps_to_its_events(
    wikiticker: Path, make_stream: Callable[..., object]
) -> None:
    """39,244 real rows become 39,244 events of the contract, each hour as counted by others."""
    source = Source(str(wikiticker), parse_mapping([WIKI]))
    fake, progress = make_stream(), Progress()
    expected = orjson.loads((wikiticker.parent / "wikiticker_expected.json").read_bytes())
    assert check(source) == expected["rows"] == 39244
    summary = put(source, fake, progress)
    assert summary.sent == len(fake.records) == 39244
    assert [len(call) for call in fake.calls[:-1]] == [500] * 78
    made = [orjson.loads(record.data) for record in fake.records]
    assert Counter(event["event_time"][:13] for event in made) == {
        hour["hour"]: hour["rows"] for hour in expected["by_hour"]
    }
    assert len({event["entity_id"] for event in made}) == expected["distinct_users"]
    with gzip.open(wikiticker) as raw:
        assert made[0]["payload"] == orjson.loads(next(raw))
    assert len({record.data for record in fake.records}) == 39244
