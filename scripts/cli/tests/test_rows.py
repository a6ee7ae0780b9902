import csv
import gzip
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.rows import BadRow, Row, RowFormat, opened, read_rows

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.parsing

SCALARS = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
OBJECTS = st.dictionaries(st.text(), st.recursive(SCALARS, st.lists, max_leaves=5), max_size=4)


def rows_of(data: bytes, name: str = "in.ndjson", fmt: RowFormat = RowFormat.AUTO) -> list[Row]:
    return list(read_rows(io.BufferedReader(io.BytesIO(data)), name, fmt))


@given(st.lists(OBJECTS, max_size=8))
def test_ndjson_keeps_every_row_and_its_bytes(objects: list[dict[str, object]]) -> None:
    """Each line comes back with its fields, its bytes and its number."""
    lines = [json.dumps(each).encode() for each in objects]
    rows = rows_of(b"\n".join(lines))
    assert [row.fields for row in rows] == objects
    assert [row.data for row in rows] == lines
    assert [row.line for row in rows] == list(range(1, len(objects) + 1))


@given(st.lists(OBJECTS, max_size=8), st.sampled_from([None, 1, 4]), st.booleans())
def test_array_gives_the_same_rows_as_ndjson(
    objects: list[dict[str, object]], indent: int | None, ascii_only: bool
) -> None:
    """However an array is laid out, its elements are the rows, and their bytes parse to them."""
    text = json.dumps(objects, indent=indent, ensure_ascii=ascii_only)
    rows = rows_of(f"\n {text}\n".encode(), "in.json")
    assert [row.fields for row in rows] == objects
    assert [orjson.loads(row.data) for row in rows] == objects


@given(
    st.lists(
        st.fixed_dictionaries({"a": st.text(min_size=1), "b,c": st.text(), "ü": st.text()}),
        max_size=8,
    )
)
def test_csv_gives_text_columns(objects: list[dict[str, str]]) -> None:
    """Quoted commas, quotes and line breaks come back as they were; every cell is text."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, ["a", "b,c", "ü"], quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(objects)
    rows = rows_of(text.getvalue().encode("utf-8", "surrogatepass"), "in.csv")
    assert [row.fields for row in rows] == objects


def test_numbers_beyond_64_bits_keep_their_bytes() -> None:
    """A row's bytes are the file's, not a second serialisation that would round the number."""
    line = b'{"n": 123456789012345678901234567890, "b":1.10}'
    assert rows_of(line)[0].data == line
    assert rows_of(b"[" + line + b"]", "in.json")[0].data == line


def test_line_numbers_count_every_line_of_the_file() -> None:
    """Blank lines are no rows but count; an array's element is named by the line it starts on."""
    assert [row.line for row in rows_of(b'\xef\xbb\xbf{"a":1}\r\n\n{"a":2}\n\n')] == [1, 3]
    assert [row.line for row in rows_of(b'[\n{"a":\n1},\n\n{"a":2}\n]', "in.json")] == [2, 5]
    assert [row.line for row in rows_of(b'a,b\n"x\ny",1\n\nz,2\n', "in.csv")] == [2, 5]


@pytest.mark.parametrize(
    ("data", "name", "line", "problem"),
    [
        (b'{"a":1}\n{"a":\n', "x.ndjson", 2, "not JSON"),
        (b'{"a":NaN}', "x.ndjson", 1, "not JSON"),
        (b'{"a":"\xff"}', "x.ndjson", 1, "not JSON"),
        (b"{}\n[1]\n", "x.ndjson", 2, "an array"),
        (b"oops", "x.json", 1, "not JSON"),
        (b'[{"a":1},\n{"a":]', "x.json", 2, "not JSON"),
        (b'[{"a":NaN}]', "x.json", 1, "not JSON"),
        (b'[{"a":1}\n{"a":2}]', "x.json", 2, "expected `,` or `]`"),
        (b'[{"a":1},]', "x.json", 1, "not JSON"),
        (b'[{"a":1}', "x.json", 1, "expected `,` or `]`"),
        (b"[", "x.json", 1, "not JSON"),
        (b'[{"a":1}]\n{"a":2}', "x.json", 1, "more text"),
        (b"[7]", "x.json", 1, "a number"),
        (b"a,b\n1,2\n3\n", "x.csv", 3, "1 cells"),
        (b'a,b\n1,"2\n', "x.csv", 2, "not CSV"),
    ],
)
def test_a_bad_row_is_named_by_line(data: bytes, name: str, line: int, problem: str) -> None:
    """The error says which line, what is wrong and what to do, and never quotes the content."""
    with pytest.raises(BadRow) as caught:
        rows_of(data, name)
    assert caught.value.line == line
    assert problem in str(caught.value)
    assert caught.value.remedy


def test_reading_a_csv_can_be_given_up_half_way(tmp_path: Path) -> None:
    """Rows that nobody asks for any more end in silence, also after their file was closed."""
    file = tmp_path / "visits.csv"
    file.write_text("a\n1\n2\n")
    with opened(str(file)) as stream:
        rows = cast("Generator[Row]", read_rows(stream, file.name))
        next(rows)
    rows.close()


def test_an_unknown_format_asks_for_the_option() -> None:
    """What is neither JSON nor named .csv is not guessed at; --format decides."""
    with pytest.raises(CommandError, match="--format") as caught:
        rows_of(b"a,b\n1,2\n", "-")
    assert caught.value.code is ExitCode.USAGE
    assert rows_of(b"a,b\n1,2\n", "-", RowFormat.CSV)[0].fields == {"a": "1", "b": "2"}


def test_gzip_is_told_by_its_bytes_not_its_name(tmp_path: Path) -> None:
    """Compressed content is read under any name, several members included."""
    file = tmp_path / "events.ndjson"
    file.write_bytes(gzip.compress(b'{"a":1}\n') + gzip.compress(b'{"a":2}\n'))
    with opened(str(file)) as stream:
        assert [row.fields["a"] for row in read_rows(stream, file.name)] == [1, 2]


def test_cut_off_gzip_is_an_error(tmp_path: Path) -> None:
    """A file cut off in a copy is refused, not taken for a shorter one."""
    file = tmp_path / "events.ndjson.gz"
    file.write_bytes(gzip.compress(b'{"a":1}\n' * 1000)[:-12])
    with opened(str(file)) as stream, pytest.raises(CommandError, match="damaged or cut off"):
        list(read_rows(stream, file.name))


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    """A path that is not there, or is a folder, is wrong use."""
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(CommandError, match="cannot read") as caught, opened(str(path)):
            pass
        assert caught.value.code is ExitCode.USAGE


def test_lines_are_records_whatever_they_hold() -> None:
    """Each line goes as it came, garbage too; the fields are there for those that have some."""
    lines = [b'{"entity_id":"u"}', b"not JSON", b"[1]", b"\xff\xfe", b'  {"a": 1} ']
    stream = io.BufferedReader(io.BytesIO(b"\r\n".join(lines) + b"\n\n"))
    found = list(read_rows(stream, "f.ndjson", RowFormat.LINES))
    assert [row.data for row in found] == lines
    assert [row.fields for row in found] == [{"entity_id": "u"}, {}, {}, {}, {"a": 1}]
    assert [row.line for row in found] == [1, 2, 3, 4, 5]
