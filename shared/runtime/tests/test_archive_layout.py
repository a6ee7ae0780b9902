"""The archive's layout: what may be set, what travels as a stamp, and how objects are packed."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.archive_layout import HIVE, ArchiveLayout, Compression, check_partitions
from millrace.compression import UnknownCompression, compressed, compression_of, lines_of, reader
from millrace.keys import archive_key

pytestmark = pytest.mark.archival

AT = datetime(2015, 9, 12, 23, 59, tzinfo=UTC)
FLAT = "dt={year}-{month}-{day}/h{hour}"
layouts = st.sampled_from(Compression).flatmap(
    lambda compression: st.builds(
        ArchiveLayout,
        max_events=st.integers(min_value=1),
        max_bytes=st.integers(min_value=1),
        compression=st.just(compression),
        level=st.sampled_from(list(compression.levels)),
        partitions=st.sampled_from([HIVE, FLAT]),
    )
)


@given(layouts)
def test_a_stamp_says_the_whole_layout(layout):
    """What enrich stamps is what archive reads, as S3's ASCII metadata."""
    stamp = layout.to_metadata()
    assert ArchiveLayout.from_metadata(stamp) == layout
    assert all((name + value).isascii() for name, value in stamp.items())


def test_an_old_stamp_has_the_cut_alone():
    """Objects stamped before compression could be chosen were gzip in Hive folders."""
    old = {"archive-max-events": "10", "archive-max-bytes": "20"}
    assert ArchiveLayout.from_metadata(old) == ArchiveLayout(10, 20, Compression.GZIP, 6, HIVE)


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"max_events": 0}, "at least one event"),
        ({"level": 10}, "gzip has the levels 1 to 9, not 10"),
        ({"level": 0}, "levels 1 to 9"),
        ({"compression": Compression.ZSTD, "level": 20}, "zstd has the levels 1 to 19"),
        ({"partitions": "year={year}/month={month}/day={day}"}, "lacks {hour}"),
        ({"partitions": "/" + HIVE}, "is folders of"),
        ({"partitions": HIVE + "/"}, "is folders of"),
        ({"partitions": HIVE + "/../x"}, "is folders of"),
        ({"partitions": HIVE + "/{client}"}, "is folders of"),
        ({"partitions": HIVE + "/ä"}, "is folders of"),
        ({"partitions": HIVE + "/" + "x" * 200}, "at most 200"),
    ],
)
def test_a_layout_that_cannot_be_obeyed_is_refused(fields, named):
    """The error names the part and what it may be."""
    with pytest.raises(ValueError, match=named.replace("{", r"\{")):
        ArchiveLayout(**fields)


def test_folders_follow_the_template():
    """Numbers are padded, so that folders sort by time; the key ends as its content is packed."""
    layout = ArchiveLayout(compression=Compression.ZSTD, partitions=FLAT)
    assert archive_key(AT, "c", 2, layout) == "archive/dt=2015-09-12/h23/c-2.ndjson.zst"
    assert check_partitions(FLAT) == FLAT


@pytest.mark.parametrize("compression", Compression)
@given(lines=st.lists(st.binary(max_size=300).filter(lambda line: b"\n" not in line)))
def test_lines_come_back(compression, lines):
    """What was packed is read line by line, and packed again it is the same bytes."""
    body = compressed(lines, compression, 6)
    assert body == compressed(lines, compression, 6)
    assert list(lines_of(f"x.{compression.suffix}", body)) == [line + b"\n" for line in lines]


@pytest.mark.parametrize("compression", Compression)
def test_objects_of_several_pieces_are_read_whole(compression):
    """Members of gzip and frames of zstd follow each other; readers see one text."""
    body = compressed([b"a"], compression, 1) + compressed([b"b"], compression, 9)
    assert reader(f"x.{compression.suffix}", BytesIO(body)).read() == b"a\nb\n"


def test_an_unknown_ending_is_named():
    """A key that no archive object has is not guessed at."""
    with pytest.raises(UnknownCompression, match=r"archive/x\.br"):
        compression_of("archive/x.br")


@pytest.mark.parametrize("service", ["archive", "export"])
def test_services_of_the_archive_bring_zstd(service):
    """What reads or writes archive objects has the package in its zip."""
    requirements = Path(__file__).parents[3] / "services" / service / "requirements.txt"
    assert "zstandard==" in requirements.read_text()
