"""What every `millrace.ports.Objects` promises."""

import pytest

from millrace.errors import ObjectMissing
from millrace.ports import Objects


class ObjectsContract:
    """Subclasses provide the fixture `objects`."""

    def test_the_first_writer_wins(self, objects: Objects) -> None:
        """A key is written once; a second writer learns that it was late and changes nothing."""
        assert objects.put_new("raw/a", b"first")
        assert not objects.put_new("raw/a", b"second")
        assert objects.get("raw/a") == b"first"

    def test_a_range_is_the_bytes_asked_for(self, objects: Objects) -> None:
        """A range read returns exactly its bytes."""
        objects.put_new("raw/b", b"0123456789", metadata={"events": "1"}, tags={"kind": "raw"})
        assert objects.get_range("raw/b", 3, 4) == b"3456"

    def test_a_range_ends_where_the_object_ends(self, objects: Objects) -> None:
        """Past the end there are fewer bytes, or none; it is no error that a retry could mend."""
        objects.put_new("raw/c", b"0123456789")
        assert objects.get_range("raw/c", 8, 4) == b"89"
        assert objects.get_range("raw/c", 10, 4) == b""

    def test_a_missing_object_is_named(self, objects: Objects) -> None:
        """Reading what is not there raises ObjectMissing with the key, whole or by range."""
        with pytest.raises(ObjectMissing, match="raw/none"):
            objects.get("raw/none")
        with pytest.raises(ObjectMissing, match="raw/none"):
            objects.get_range("raw/none", 0, 1)
