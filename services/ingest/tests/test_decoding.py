"""KPL aggregation and gzip, against records that the real KPL made."""

import gzip
import json
from base64 import b64decode
from hashlib import md5
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.domain.decoding import KPL_MAGIC, MAX_DECOMPRESSED_BYTES, Part, decode
from ingest.kpl.aggregated_record_pb2 import AggregatedRecord
from millrace.commit import CommitCounts
from millrace.reasons import RejectReason
from millrace_testing.builders import event_bytes

pytestmark = pytest.mark.parsing

KPL_FIXTURES = Path(__file__).parents[4] / "shared/data/lambda-event-fixtures/kpl_fixtures.json"
FIXTURES = json.loads(KPL_FIXTURES.read_text()) if KPL_FIXTURES.exists() else []
LIMIT = 1024 * 1024


def aggregate(*datas: bytes) -> bytes:
    """Return an aggregated record whose inner keys differ from one another."""
    message = AggregatedRecord()
    for number, data in enumerate(datas):
        message.partition_key_table.append(f"key-{number}")
        message.explicit_hash_key_table.append(str(2**100 + number))
        message.records.add(
            partition_key_index=number, explicit_hash_key_index=number, data=data
        ).tags.add(key="tag", value="value")
    body = message.SerializeToString()
    return KPL_MAGIC + body + md5(body).digest()


@pytest.mark.skipif(not FIXTURES, reason="../shared/data is not beside this checkout")
@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture["name"])
def test_real_kpl_records(fixture):
    """Records of the real KPL decode to what an independent decoder found in them."""
    kinesis = fixture["event"].get("kinesis", fixture["event"])
    expected = fixture["expected"]
    parts = decode(b64decode(kinesis["data"]), LIMIT)
    assert all(part.rejection is None for part in parts)
    if "records" in expected:
        assert [part.data for part in parts] == [
            b64decode(record["data_b64"]) for record in expected["records"]
        ]
    else:
        assert [part.data.decode() for part in parts] == [expected["data_utf8"]]


@given(st.lists(st.binary(max_size=200).filter(lambda b: b[:2] != b"\x1f\x8b"), min_size=1))
def test_aggregates_are_taken_apart_in_order(datas):
    """Each inner record becomes a part at its position, whatever its keys."""
    assert decode(aggregate(*datas), LIMIT) == tuple(
        Part(position, data) for position, data in enumerate(datas)
    )


@given(st.data())
def test_a_corrupt_aggregate_is_rejected_whole(data):
    """One wrong byte after the magic number, or a missing end, and nothing inside is trusted."""
    whole = aggregate(event_bytes(1), event_bytes(2))
    place = data.draw(st.integers(len(KPL_MAGIC), len(whole) - 1))
    flipped = whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :]
    for corrupt in (flipped, whole[:place]):
        (part,) = decode(corrupt, LIMIT)
        assert part.rejection is not None
        assert part.rejection.reason is RejectReason.KPL_CORRUPT
        assert part.data == corrupt


def test_a_checksum_over_nonsense_is_no_aggregate():
    """A right checksum does not make bytes a message, and an empty message holds no event."""
    for body in (b"\x1a\xff\xff", b""):
        (part,) = decode(KPL_MAGIC + body + md5(body).digest(), LIMIT)
        assert part.rejection is not None
        assert part.rejection.reason is RejectReason.KPL_CORRUPT


def test_gzip_is_seen_by_its_magic_alone_and_inside_aggregates():
    """A compressed event is the event, with one member or several, alone or aggregated."""
    two_members = gzip.compress(b'{"a":') + gzip.compress(b"1}")
    assert decode(two_members, LIMIT) == (Part(0, b'{"a":1}'),)
    assert decode(aggregate(b"x", gzip.compress(b"y")), LIMIT) == (Part(0, b"x"), Part(1, b"y"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (gzip.compress(b"x" * 100)[:-5], RejectReason.GZIP_CORRUPT),
        (b"\x1f\x8bnot gzip", RejectReason.GZIP_CORRUPT),
        (gzip.compress(b"x") + b"trailing", RejectReason.GZIP_CORRUPT),
        (gzip.compress(b"\0" * 50_000_000), RejectReason.TOO_LARGE),
        (gzip.compress(b"\0" * 600_000) * 2, RejectReason.TOO_LARGE),
    ],
)
def test_bad_gzip_is_rejected_as_it_came(data, reason):
    """A broken or bursting record is quarantined as it was sent, with its own reason."""
    (part,) = decode(data, LIMIT)
    assert part.rejection is not None
    assert (part.rejection.reason, part.data) == (reason, data)


def test_many_small_bombs_do_not_add_up():
    """All parts of a record together decompress to a bounded size; the rest is too large."""
    bomb = gzip.compress(b"0" * LIMIT)
    parts = decode(aggregate(*[bomb] * 40), LIMIT)
    rejected = [part for part in parts if part.rejection is not None]
    assert len(parts) - len(rejected) == MAX_DECOMPRESSED_BYTES // LIMIT
    assert {part.rejection.reason for part in rejected} == {RejectReason.TOO_LARGE}
    assert sum(len(part.data) for part in parts) < MAX_DECOMPRESSED_BYTES + 40 * len(bomb)


def test_an_aggregated_record_is_one_unit(world, stream):
    """Its events are committed together, each with its position; one bad part harms no other."""
    mixed = aggregate(event_bytes(1), b"broken", event_bytes(2), event_bytes(1))
    result = world.deliver(stream([mixed]))
    assert result.counts == CommitCounts(accepted=2, duplicates=1, quarantined=1)
    (commit,) = result.commits
    lines = world.ledger.load(commit.head.shard, commit.head.first_seq).body.lines
    assert [(line.seq, line.position) for line in lines] == [(100, 0), (100, 2), (100, 3)]
