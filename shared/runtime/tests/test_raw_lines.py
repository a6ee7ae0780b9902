"""Multi-member gzip: whole for every tool, one event by one range."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace.raw_lines import member_of, pack, unpack

pytestmark = pytest.mark.parsing

LINES = st.lists(st.binary(min_size=1, max_size=300).filter(lambda b: b"\n" not in b), max_size=60)


@given(LINES, st.integers(1, 2000))
def test_any_line_is_read_by_one_member(lines, member_bytes):
    """Every line lies in exactly one member, which alone is a gzip file."""
    packed = pack(lines, member_bytes)
    for number, line in enumerate(lines):
        member = member_of(packed.members, number)
        alone = packed.body[member.offset : member.offset + member.length]
        assert unpack(alone)[number - member.first_line] == line


@given(LINES, st.integers(1, 2000))
def test_the_object_is_one_gzip_file(lines, member_bytes):
    """A reader that knows nothing of members reads all lines in order; bytes are reproducible."""
    packed = pack(lines, member_bytes)
    whole = gzip.decompress(packed.body) if lines else b""
    assert whole == b"".join(line + b"\n" for line in lines)
    assert unpack(packed.body) == lines
    assert pack(lines, member_bytes) == packed


def test_a_line_that_is_not_there():
    """Asking beyond the end is an error, not another line."""
    with pytest.raises(IndexError, match="line 2"):
        member_of(pack([b"a", b"b"]).members, 2)
