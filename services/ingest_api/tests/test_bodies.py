"""Bodies become the bytes of events, or a refusal."""

import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest_api.domain.bodies import Items, decoded, split
from ingest_api.domain.refusals import Refusal, RefusalKind

pytestmark = pytest.mark.validation

MIB = 1024 * 1024
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def refused(call, *arguments) -> Refusal:
    with pytest.raises(Refusal) as caught:
        call(*arguments)
    return caught.value


@given(st.lists(VALUES, min_size=1, max_size=20), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_an_array_is_cut_into_its_elements(values, indent, ascii_only):
    """Whatever is in an array and however it is laid out, each part parses to its element."""
    body = json.dumps(values, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", errors="replace"
    )
    items = split(b" \r\n" + body + b"\n", 500)
    assert items.in_array
    assert [json.loads(each) for each in items.events] == json.loads(body)


def test_bytes_stay_as_they_came():
    """Digits that a parser would lose, doubled keys and spaces inside an event are kept."""
    first, second = b'{"n": 1.10,  "n":123456789012345678901234567890}', b'{"\xc3\xbc":1e400}'
    assert split(b"\xef\xbb\xbf[" + first + b" ,\n" + second + b"]", 2) == Items(
        (first, second), True
    )
    assert split(b"\n" + first + b"\n", 1) == Items((first,), False)


def test_a_value_that_is_no_object_is_the_contracts_business():
    """JSON that is no event is read here and refused as an event (422, not 400)."""
    assert split(b"3", 1).events == (b"3",)
    assert split(b'["x"]', 1).events == (b'"x"',)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" \n", b"{oops", b"[1,", b"[1 2]", b"[1,]", b"[1]]", b"{} {}", b"[]", b" [ ] ",
        b"[] 1", b"\xff", b"[" * 100_000, b'"a', b"\x0b{}",
    ],
)  # fmt: skip
def test_what_is_not_json_or_holds_nothing_is_unreadable(body):
    """One kind of refusal, with where it stopped."""
    refusal = refused(split, body, 500)
    assert refusal.kind is RefusalKind.UNREADABLE
    assert refusal.detail


def test_the_number_of_events_is_bounded():
    """The limit itself passes; one more is too many."""
    assert len(split(b"[" + b"1," * 499 + b"1]", 500).events) == 500
    assert refused(split, b"[" + b"1," * 500 + b"1]", 500).kind is RefusalKind.TOO_LARGE


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip"])
def test_gzip_is_undone(encoding):
    """Any number of members, as RFC 1952 allows."""
    body = gzip.compress(b"[1,") + gzip.compress(b"2]")
    assert decoded(body, encoding, MIB) == b"[1,2]"


@pytest.mark.parametrize("encoding", ["", "identity"])
def test_without_encoding_nothing_changes(encoding):
    """`identity` is no encoding."""
    assert decoded(b"{}", encoding, 2) == b"{}"
    assert refused(decoded, b"{ }", encoding, 2).kind is RefusalKind.TOO_LARGE


def test_other_encodings_are_not_read():
    """415 says what to send instead."""
    refusal = refused(decoded, b"", "br", MIB)
    assert refusal.kind is RefusalKind.UNSUPPORTED_ENCODING
    assert "gzip" in refusal.detail


@pytest.mark.parametrize(
    "body", [b"", b"{}", gzip.compress(b"{}")[:-3], gzip.compress(b"{}") + b"x"]
)
def test_bad_gzip_is_unreadable(body):
    """Empty, none, cut short, or followed by something else."""
    assert refused(decoded, body, "gzip", MIB).kind is RefusalKind.UNREADABLE


def test_a_bomb_does_not_go_off():
    """100 MiB in 100 KB are refused after the limit, in memory too."""
    bomb = gzip.compress(b" " * 100 * MIB, 6)
    tracemalloc.start()
    refusal = refused(decoded, bomb, "gzip", MIB)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refusal.kind is RefusalKind.TOO_LARGE
    assert peak < 4 * MIB
