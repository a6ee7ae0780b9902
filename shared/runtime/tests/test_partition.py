"""Partition keys."""

from hypothesis import given
from hypothesis import strategies as st

from millrace.partition import MAX_KEY_BYTES, partition_key


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=600))
def test_a_key_fits_and_depends_on_the_entity_alone(entity):
    """1-256 bytes always; the entity itself wherever it fits."""
    key = partition_key(entity)
    assert 1 <= len(key.encode()) <= MAX_KEY_BYTES
    assert key == partition_key(entity)
    assert (key == entity) is (len(entity.encode()) <= MAX_KEY_BYTES)
