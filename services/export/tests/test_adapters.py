"""Export's adapters on moto, and the spill on a real disk."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from export.adapters.archive import ManifestedArchive
from export.adapters.files import S3ClientFiles
from export.adapters.progress import Stream, StreamProgress
from export.adapters.rows import DynamoDirtyHours, DynamoExports
from export.adapters.spill import DiskSpill
from export.domain.files import Content, Exported, Place, Status
from export.domain.form import FileCompression, FileFormat, Form
from export.ports import DirtyHour, Overtaken, SpillFull, UploadFailed
from millrace.aws.discarded import DynamoDiscards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import to_attributes
from millrace.aws.manifests import ManifestsReader, dirty_key
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, ShardKey, Stage
from millrace.errors import ConfigError, ObjectMissing
from millrace.raw_lines import pack
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes
from millrace_testing.discards import discarded_batch
from millrace_testing.fakes import FixedClock
from millrace_testing.tables import COMMITS, MANIFESTS, create_table

HOUR = "2025-12-28T09"
PLACE = Place("data", "clients/acme/events-2025-12-28-09.json", Form())
PART = 5 * 1024 * 1024


@pytest.fixture
def dynamodb(aws) -> Any:
    client = boto3.client("dynamodb")
    create_table(client, "manifests", MANIFESTS)
    create_table(client, "commits", COMMITS)
    return client


@pytest.fixture
def s3(aws) -> Any:
    client = boto3.client("s3")
    client.create_bucket(Bucket="data")
    return client


def body_of(s3, key=PLACE.key) -> bytes:
    body: bytes = s3.get_object(Bucket="data", Key=key)["Body"].read()
    return body


class TestDirtyHours:
    """Hours that wait, and the token that tells one change from the next."""

    @pytest.fixture
    def dirty(self, dynamodb) -> DynamoDirtyHours:
        for hour, token in (("2025-12-28T10", "b"), (HOUR, "a")):
            item = dirty_key(hour) | to_attributes({"token": token})
            dynamodb.put_item(TableName="manifests", Item=item)
        return DynamoDirtyHours(dynamodb, "manifests")

    def test_the_earliest_comes_first(self, dirty):
        """Hours come in order, each with its token."""
        assert list(dirty.all()) == [DirtyHour(HOUR, "a"), DirtyHour("2025-12-28T10", "b")]

    def test_only_the_token_that_was_seen_is_cleared(self, dirty):
        """An hour that changed since stays; one cleared twice is no error."""
        assert not dirty.clear(DirtyHour(HOUR, "older"))
        assert dirty.clear(DirtyHour(HOUR, "a"))
        assert not dirty.clear(DirtyHour(HOUR, "a"))
        assert [each.hour for each in dirty.all()] == ["2025-12-28T10"]


class TestExports:
    """What was exported, client by client."""

    @pytest.fixture
    def exports(self, dynamodb) -> DynamoExports:
        return DynamoExports(dynamodb, "manifests", FixedClock(ARRIVAL))

    def test_a_place_is_settled_once(self, exports):
        """The second place for a client is the first one's."""
        other = Place("other", "k.json.gz", Form(FileFormat.ARRAY, FileCompression.GZIP))
        assert exports.settle(HOUR, "#a/b", PLACE) == Exported("#a/b", PLACE)
        assert exports.settle(HOUR, "#a/b", other) == Exported("#a/b", PLACE)
        assert exports.settle(HOUR, "c", other).place == other
        assert {row.client_id for row in exports.of(HOUR)} == {"#a/b", "c"}
        assert list(exports.of("2025-12-28T10")) == []

    def test_a_row_follows_the_revision_it_read(self, exports):
        """What another wrote is not overwritten; the same row twice is one."""
        seen = exports.settle(HOUR, "acme", PLACE)
        content = Content("digest", 3, "00000000000000ff", 120, "sha")
        now = replace(seen, revision=1, content=content, status=Status.COMPLETE)
        exports.update(HOUR, seen, now)
        exports.update(HOUR, seen, now)  # an answer was lost, botocore asked again
        assert list(exports.of(HOUR)) == [now]
        with pytest.raises(Overtaken, match="acme"):
            exports.update(HOUR, seen, replace(now, status=Status.PROVISIONAL))

    def test_a_missing_table_is_a_fault_of_the_deployment(self, dynamodb):
        """A wrong table name is not retried as if it could pass."""
        with pytest.raises(ConfigError):
            DynamoExports(dynamodb, "none", FixedClock(ARRIVAL)).settle(HOUR, "a", PLACE)


class TestFiles:
    """Files of any size, each over the version that was looked at."""

    @pytest.fixture(params=["one request", "in parts"])
    def chunks(self, request) -> list[bytes]:
        size = 10 if request.param == "one request" else 3 * PART // 4
        return [letter * size for letter in (b"a", b"b", b"c")]

    @pytest.fixture
    def files(self, s3) -> S3ClientFiles:
        return S3ClientFiles(s3, PART)

    def test_a_file_is_written_whole(self, files, s3, chunks):
        """Its bytes, size and hash are the chunks'; its type says what it is."""
        written = files.write(PLACE, None, "d1", iter(chunks))
        assert body_of(s3) == b"".join(chunks)
        assert written.size_bytes == len(b"".join(chunks))
        head = s3.head_object(Bucket="data", Key=PLACE.key)
        assert head["ContentType"] == "application/x-ndjson"
        assert files.version("data", PLACE.key) == head["ETag"]

    def test_no_file_has_no_version(self, files):
        """What is not there is told apart from what cannot be read."""
        assert files.version("data", "clients/none") is None
        with pytest.raises(ConfigError):
            files.version("no-such-bucket-anywhere", "x")

    def test_a_file_that_came_meanwhile_is_not_overwritten(self, files, s3, chunks):
        """Where nothing was seen, nothing may be: the other content stays."""
        files.write(PLACE, None, "other", [b"other"])
        with pytest.raises(Overtaken, match=PLACE.key):
            files.write(PLACE, None, "mine", iter(chunks))
        assert body_of(s3) == b"other"

    def test_the_same_content_twice_is_one(self, files, s3, chunks):
        """An attempt that finds its own digest there has succeeded."""
        files.write(PLACE, None, "d1", iter(chunks))
        files.write(PLACE, None, "d1", iter(chunks))
        assert body_of(s3) == b"".join(chunks)

    def test_an_error_while_reading_leaves_no_file(self, files, s3):
        """An upload that was begun is given up, and its parts with it."""

        def torn() -> Iterator[bytes]:
            yield b"x" * (2 * PART)
            raise ObjectMissing("archive/x")

        with pytest.raises(ObjectMissing):
            files.write(PLACE, None, "d1", torn())
        assert files.version("data", PLACE.key) is None
        assert s3.list_multipart_uploads(Bucket="data").get("Uploads", []) == []

    def test_a_manifest_is_written_like_a_file(self, files, s3):
        """Over what was seen, or not at all; a second writer of the same bytes succeeds."""
        key = "clients/acme/events.manifest.json"
        files.write_manifest("data", key, None, b"{}")
        files.write_manifest("data", key, None, b"{}")
        with pytest.raises(Overtaken):
            files.write_manifest("data", key, None, b'{"a": 1}')
        assert body_of(s3, key) == b"{}"

    def test_a_store_that_is_down_fails_the_upload(self, files, s3, monkeypatch):
        """A fault that may pass is told apart from a lost condition."""

        def slow(**_: Any) -> None:
            raise s3.exceptions.ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")

        monkeypatch.setattr(s3, "put_object", slow)
        with pytest.raises(UploadFailed, match="SlowDown"):
            files.write(PLACE, None, "d1", [b"x"])


def test_the_archive_is_what_manifests_say(dynamodb, s3):
    """Objects come from rows, in order of their keys; exports and other hours are none of them."""
    for key, clients in (("archive/b-0.ndjson.gz", {"acme": 2}), ("archive/a-0.ndjson.gz", None)):
        row = {
            "hour": HOUR,
            "object_key": key,
            "events": 2,
            "bytes": 50,
            "input_hash": "00000000000000ff",
            "clients": clients,
        }
        dynamodb.put_item(TableName="manifests", Item=to_attributes(row))
    DynamoExports(dynamodb, "manifests", FixedClock(ARRIVAL)).settle(HOUR, "acme", PLACE)
    objects = S3Objects(s3, "data")
    objects.put_new("archive/a-0.ndjson.gz", pack([b"1", b"2"]).body)
    archive = ManifestedArchive(ManifestsReader(dynamodb, "manifests"), objects)
    first, second = archive.objects(HOUR)
    assert (first.key, first.clients, first.input_hash) == ("archive/a-0.ndjson.gz", None, 255)
    assert second.clients == {"acme": 2}
    assert list(archive.lines(first.key)) == [b"1\n", b"2\n"]
    with pytest.raises(ObjectMissing):
        archive.lines(second.key)


@pytest.mark.parametrize("flush_bytes", [1, 30, 10_000])
def test_a_spill_gives_back_what_it_got(tmp_path, flush_bytes):
    """Per client the lines in their order, flushed or not; nothing stays on disk."""
    with DiskSpill(10_000, str(tmp_path), flush_bytes) as spill:
        for number in range(20):
            spill.add(f"client-{number % 3}", f"line {number}\n".encode())
        for client in range(3):
            text = b"".join(spill.texts(f"client-{client}"))
            assert text.decode().splitlines() == [f"line {n}" for n in range(client, 20, 3)]
        assert list(spill.texts("nobody")) == []
    assert list(tmp_path.iterdir()) == []


def test_a_spill_has_a_limit(tmp_path):
    """Events beyond the room are refused, not lost."""
    with DiskSpill(50, str(tmp_path), 1) as spill:
        spill.add("a", b"1\n")
        with pytest.raises(SpillFull, match="50 bytes"):
            spill.add("a", bytes(range(11, 256)))


class TestProgress:
    """How far the pipeline in front of the archive has come."""

    SHARD = "shardId-000000000000"

    @pytest.fixture
    def kinesis(self, aws) -> Any:
        client = boto3.client("kinesis")
        client.create_stream(StreamName="events", ShardCount=1)
        return client

    @pytest.fixture
    def progress(self, kinesis, dynamodb) -> StreamProgress:
        arn = kinesis.describe_stream_summary(StreamName="events")["StreamDescriptionSummary"]
        clock = FixedClock(ARRIVAL + timedelta(days=1))
        stream = Stream(arn["StreamARN"], "1a2b3c4d")
        return StreamProgress(kinesis, dynamodb, "commits", stream, clock)

    @pytest.fixture
    def ledger(self, dynamodb) -> DynamoLedger:
        return DynamoLedger(dynamodb, "commits")

    def commit(self, ledger, seq):
        shard = ShardKey("1a2b3c4d", self.SHARD)
        commit, _ = commit_of([event_bytes(1)], shard=shard, first_seq=seq)
        assert ledger.commit(ledger.read(shard), Checkpoint(1, seq, ()), commit)
        return shard, commit.head

    def test_an_empty_stream_waits_for_nothing(self, progress):
        """No record, no commit: everything that arrived is archived."""
        seen = progress.look()
        assert (seen.waiting_since, seen.unarchived) == (None, ())
        assert seen.seen_at == ARRIVAL + timedelta(days=1)

    def test_a_record_waits_until_it_is_committed(self, progress, kinesis, ledger):
        """The first record behind the checkpoint says since when."""
        put = kinesis.put_record(StreamName="events", Data=b"{}", PartitionKey="k")
        assert progress.look().waiting_since is not None
        self.commit(ledger, int(put["SequenceNumber"]))
        assert progress.look().waiting_since is None

    def test_a_discarded_batch_waits_until_it_is_repaired(
        self, progress, kinesis, ledger, dynamodb
    ):
        """Its records may still come: since its first arrival; its repair leaves nothing behind."""
        put = kinesis.put_record(StreamName="events", Data=b"{}", PartitionKey="k")
        seq, shard = int(put["SequenceNumber"]), ShardKey("1a2b3c4d", self.SHARD)
        discards = DynamoDiscards(dynamodb, "commits")
        batch = discarded_batch(seq, seq, shard)
        discards.note(batch)
        assert progress.look().waiting_since == ARRIVAL
        commit, _ = commit_of([event_bytes(1)], shard=shard, first_seq=seq)
        assert ledger.commit(Checkpoint(), Checkpoint(1, -1, ()), commit)  # the watermark stands
        discards.close_repaired(batch, ARRIVAL)
        assert progress.look().waiting_since is None

    def test_a_commit_waits_until_it_is_archived(self, progress, ledger):
        """Its span of event time is what it holds back; other stages' marks do not matter."""
        shard, head = self.commit(ledger, 100)
        assert progress.look().unarchived == (head.event_span,)
        ledger.mark(shard, 100, Stage.ENRICHED, {"events": 1})
        assert len(progress.look().unarchived) == 1
        ledger.mark(shard, 100, Stage.ARCHIVED, {"events": 1})
        assert progress.look().unarchived == ()

    def test_a_commit_that_the_index_lacks_is_seen(self, progress, ledger, dynamodb, monkeypatch):
        """The index lags behind the table: the latest commits of each shard are read besides."""
        monkeypatch.setattr(DynamoLedger, "unfinished_keys", lambda _: iter(()))
        _, head = self.commit(ledger, 100)
        assert progress.look().unarchived == ()  # a day old: the index must have it
        progress._clock = FixedClock(ARRIVAL + timedelta(seconds=30))
        assert progress.look().unarchived == (head.event_span,)

    def test_a_shard_that_cannot_be_asked_waits_for_ever(self, progress, kinesis, monkeypatch):
        """A throttled look makes hours provisional, not wrong."""

        def throttled(**_: Any) -> None:
            code = "ProvisionedThroughputExceededException"
            raise kinesis.exceptions.ClientError({"Error": {"Code": code}}, "GetRecords")

        monkeypatch.setattr(kinesis, "get_records", throttled)
        assert progress.look().waiting_since.year == 1

    def test_an_empty_answer_is_asked_again(self, progress, kinesis, monkeypatch):
        """Nothing in an answer that is behind the latest says nothing; a bound ends the asking."""
        answers = []

        def empty(**_: Any) -> dict[str, Any]:
            answers.append(1)
            return {"Records": [], "MillisBehindLatest": 5, "NextShardIterator": "next"}

        monkeypatch.setattr(kinesis, "get_records", empty)
        assert progress.look().waiting_since.year == 1
        assert len(answers) == 10


def test_manifests_are_json(s3):
    """A manifest can be read by anything."""
    S3ClientFiles(s3).write_manifest("data", "m.json", None, b'{"events": 1}\n')
    head = s3.head_object(Bucket="data", Key="m.json")
    assert head["ContentType"] == "application/json"
    assert json.loads(body_of(s3, "m.json")) == {"events": 1}
