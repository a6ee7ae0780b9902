"""Enrich's adapter on moto."""

import boto3
import pytest

from enrich.adapters import S3StampedObjects
from millrace.errors import ConfigError, ObjectMissing
from millrace_testing.contracts.objects import ObjectsContract


class TestStampedObjects(ObjectsContract):
    """The fake and the adapter keep the promises of every object store, and the stamp's."""

    @pytest.fixture(params=["fake", "s3"])
    def objects(self, request, stamped_objects):
        if request.param == "fake":
            return stamped_objects
        request.getfixturevalue("aws")
        client = boto3.client("s3")
        client.create_bucket(Bucket="data")
        return S3StampedObjects(client, "data")

    def test_the_first_writers_stamp_is_read_back(self, objects):
        """The stamp that is there is the one of the object that is there."""
        objects.put_new("enriched/a", b"1", metadata={"defs-version": "first"})
        objects.put_new("enriched/a", b"2", metadata={"defs-version": "second"})
        assert objects.metadata_of("enriched/a") == {"defs-version": "first"}

    def test_the_stamp_of_no_object_is_missing(self, objects):
        """Asking for the stamp of what is not there names it."""
        with pytest.raises(ObjectMissing, match="enriched/none"):
            objects.metadata_of("enriched/none")


def test_a_missing_bucket_is_a_fault_of_the_deployment(aws):
    """What no retry can mend is told apart from a missing object."""
    with pytest.raises(ConfigError):
        S3StampedObjects(boto3.client("s3"), "none").put_new("a", b"")
