"""Windows, and ids inside keys."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace import keys
from millrace.archive_layout import ArchiveLayout
from millrace.times import format_ms, from_epoch_ms, to_epoch_ms
from millrace.windows import WindowWidth, window_of

AT = datetime(2015, 9, 12, 23, 46, 58, 771000, UTC)


def test_windows_are_utc_and_labelled():
    """An instant belongs to one UTC hour and one UTC day, whatever its offset."""
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert window_of(local, WindowWidth.HOUR).label == "HOUR#2015-09-12T23"
    assert window_of(local, WindowWidth.DAY).label == "DAY#2015-09-12"


@given(st.datetimes(timezones=st.just(UTC)), st.sampled_from(WindowWidth))
def test_windows_are_half_open(at, width):
    """An instant lies at or after its window's start and before its end."""
    try:
        window = window_of(at, width)
        end = window.end
    except OverflowError:
        return  # the last day of year 9999 has no end
    assert window.start <= at < end


@given(st.text(min_size=1, max_size=50).filter(lambda s: s.isprintable()))
def test_ids_survive_keys(value):
    """An id in a key holds no separator, and is read back unless it is very long."""
    encoded = keys.encode_id(value)
    assert not set("#/?* ") & set(encoded)
    assert "~" in encoded or unquote(encoded) == value


def test_the_longest_ids_fit_a_key():
    """An id of 256 characters of four bytes each fits, and its last character still counts."""
    one, other = "\U0001f600" * 255 + "a", "\U0001f600" * 255 + "b"
    assert max(len(keys.encode_id(one)), len(keys.encode_id(other))) <= 512
    assert keys.encode_id(one) != keys.encode_id(other)


def test_archive_folders_are_hive_partitions():
    """The layout that Athena's partition projection and DuckDB read."""
    assert keys.archive_key(AT, "c", 2, ArchiveLayout()) == (
        "archive/year=2015/month=09/day=12/hour=23/c-2.ndjson.gz"
    )


@pytest.mark.parametrize("epoch_ms", [0, 1, 1_766_914_200_123, -1, -86_400_001])
def test_milliseconds_are_exact(epoch_ms):
    """Milliseconds survive the trip through datetime, before 1970 too."""
    assert to_epoch_ms(from_epoch_ms(epoch_ms)) == epoch_ms
    assert format_ms(from_epoch_ms(epoch_ms)).endswith("Z")


def test_old_years_sort_too():
    """A year below 1000 has four digits in labels and folders."""
    old = datetime(999, 1, 2, 3, tzinfo=UTC)
    assert window_of(old, WindowWidth.HOUR).label == "HOUR#0999-01-02T03"
    assert window_of(old, WindowWidth.DAY).label == "DAY#0999-01-02"
    assert ArchiveLayout().folder(old) == "year=0999/month=01/day=02/hour=03"


@given(st.text(min_size=1, max_size=256), st.sampled_from(["", "ä" * 200, "日" * 200, "🙂" * 200]))
def test_what_a_key_keeps_of_an_id_leads_back_to_it(beginning, rest):
    """A reader that has a long id from a key alone still finds what is under it."""
    key = keys.encode_id(beginning + rest)
    assert keys.encode_id(keys.decode_id(key)) == key
    assert keys.id_in_keys(keys.id_in_keys(beginning + rest)) == keys.id_in_keys(beginning + rest)
