"""What the core relies on of a stream, in memory and through the Kinesis API alike."""

import time

import pytest

from millrace_mapping.core.effects import ReadFault
from millrace_mapping.core.settings import Origin, Start
from millrace_mapping.ports import ReadFailed
from millrace_testing.wait import wait_until

SHARD = "shardId-000000000000"
TRIM = Start(Origin.TRIM_HORIZON)


def read_all(stream, start=TRIM, shard_id=SHARD):
    """Return the data of all pages until one is empty or the shard ends."""
    iterator, found = stream.open_iterator(shard_id, start), []
    while iterator is not None:
        page = stream.read(iterator)
        found += [record.data for record in page.records]
        iterator = page.iterator if page.records else None
    return found


def test_records_come_in_the_order_in_which_they_were_put(stream):
    """With their key, their bytes and a time of arrival."""
    for n in range(5):
        stream.put(f"key-{n}", b"%d" % n)
    assert read_all(stream) == [b"%d" % n for n in range(5)]
    (first, *_) = stream.read(stream.open_iterator(SHARD, TRIM)).records
    assert first.partition_key == "key-0"
    assert abs(first.arrival - time.time()) < 60


def test_reading_goes_on_after_a_sequence_number(stream):
    """The record of that number does not come again."""
    numbers = [stream.put("k", b"%d" % n) for n in range(3)]
    assert read_all(stream, Start(Origin.AFTER, after=numbers[1])) == [b"2"]


def test_latest_begins_with_what_comes(stream):
    """What was there before the iterator was opened is passed over."""
    stream.put("k", b"old")
    iterator = stream.open_iterator(SHARD, Start(Origin.LATEST))
    stream.put("k", b"new")
    assert [record.data for record in stream.read(iterator).records] == [b"new"]


def test_a_time_can_be_begun_at(stream):
    """Records that arrived before it are passed over."""
    stream.put("k", b"old")
    between = time.time() + 0.01
    wait_until(lambda: time.time() > between, every_s=0.002)
    stream.put("k", b"new")
    assert read_all(stream, Start(Origin.AT_TIMESTAMP, at=between)) == [b"new"]


def test_at_the_tip_a_page_is_empty_and_the_next_iterator_works(stream):
    """An open shard goes on."""
    page = stream.read(stream.open_iterator(SHARD, TRIM))
    assert (list(page.records), page.behind_ms) == ([], 0)
    stream.put("k", b"x")
    assert [record.data for record in stream.read(page.iterator).records] == [b"x"]


def test_the_children_of_a_split_shard_name_it(stream):
    """The parent's records stay readable."""
    stream.put("k", b"x")
    stream.split(SHARD)
    parents = {shard.shard_id: shard.parents for shard in stream.shards()}
    assert parents.pop(SHARD) == ()
    assert list(parents.values()) == [(SHARD,)] * 2
    page = stream.read(stream.open_iterator(SHARD, TRIM))
    assert [record.data for record in page.records] == [b"x"]


@pytest.mark.parametrize("stream", ["memory"], indirect=True)
def test_a_closed_shard_ends(stream):
    """Its last page has no further iterator. Moto goes on for ever; the local engine does not.

    https://docs.aws.amazon.com/kinesis/latest/APIReference/API_GetRecords.html
    """
    stream.put("k", b"x")
    stream.split(SHARD)
    assert stream.read(stream.open_iterator(SHARD, TRIM)).iterator is None


def test_the_retention_is_known(stream):
    """A day, unless it was changed."""
    assert stream.retention_s() == 86_400


@pytest.mark.parametrize("stream", ["kinesis"], indirect=True)
def test_a_shard_that_is_not_there_is_gone(stream):
    """The error says so in the core's words."""
    with pytest.raises(ReadFailed) as caught:
        stream.open_iterator("shardId-000000000009", TRIM)
    assert caught.value.fault is ReadFault.GONE
