"""Marks, rules and commits by arrival: fakes and DynamoDB keep the same promises."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random

import boto3
import pytest
from botocore.stub import Stubber
from moto import mock_aws

from millrace.aws.arrivals import KinesisShards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.ledger_items import head_item
from millrace.aws.quarantine import DynamoArrivedCommits, DynamoMarks, DynamoRules
from millrace.commit import CommitHead, ShardKey
from millrace.quarantine.ports import MarkStore, RuleStore
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import RuleOptions, rule_of_options
from millrace_testing.builders import ARRIVAL, SHARD
from millrace_testing.contracts.quarantine import MarkStoreContract
from millrace_testing.quarantine import FakeMarks, FakeRules, rejected_commit
from millrace_testing.tables import COMMITS, create_table

pytestmark = pytest.mark.validation
REGION = "us-east-1"
STREAM = "arn:aws:kinesis:us-east-1:123456789012:stream/events"
BIG_SEQ = 49581544954143914480256700934210366840104395343224897586


@pytest.fixture
def aws(monkeypatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        create_table(boto3.client("dynamodb", region_name=REGION), "commits", COMMITS)
        yield


class TestFakeMarks(MarkStoreContract):
    @pytest.fixture
    def store(self) -> MarkStore:
        return FakeMarks()


class TestDynamoMarks(MarkStoreContract):
    @pytest.fixture
    def store(self, aws) -> MarkStore:
        return DynamoMarks(boto3.client("dynamodb", region_name=REGION), "commits")


@pytest.fixture(params=["fake", "dynamodb"])
def rules(request, aws) -> RuleStore:
    if request.param == "fake":
        return FakeRules()
    return DynamoRules(boto3.client("dynamodb", region_name=REGION), "commits")


def test_a_used_rule_is_found_by_its_hash(rules) -> None:
    """It comes back as it was, also one that sends records as they are; unknown ones are none."""
    options = RuleOptions(rename=("a=b",), cast=("b=timestamp:%d/%m/%Y@UTC",), decode="latin-1")
    for rule in (rule_of_options(options), Rule()):
        rules.keep(rule)
        rules.keep(rule)
        assert rules.find(rule.rule_hash) == rule
    assert rules.find("0" * 16) is None


class Counted:
    """A client whose queries are counted."""

    def __init__(self) -> None:
        self.client = boto3.client("dynamodb", region_name=REGION)
        self.queries = 0
        self.client.meta.events.register("before-call.dynamodb.Query", self._count)

    def _count(self, **_: object) -> None:
        self.queries += 1


def store(heads: list[CommitHead]) -> None:
    client = boto3.client("dynamodb", region_name=REGION)
    for head in heads:
        client.put_item(TableName="commits", Item=head_item(head))


def commits_by(client) -> DynamoArrivedCommits:
    kinesis = boto3.client("kinesis", region_name=REGION)
    return DynamoArrivedCommits(
        DynamoLedger(client, "commits"), KinesisShards(kinesis, "arn", SHARD.incarnation)
    )


def test_where_a_window_begins_is_found_by_halving(aws) -> None:
    """Any start finds its first commit, in a dozen reads of 200 commits and not by a scan."""
    draw = Random(8)
    seq, heads = BIG_SEQ, []
    for hour in range(200):
        commit, _ = rejected_commit([b"x", b"y"], first_seq=seq, arrival=at(hour))
        heads.append(commit.head)
        seq += draw.choice([2, 3, 10**6, 10**30])  # neighbours, and silences
    store(heads)
    for hour in (-1, 0, 1, 57, 198, 199):
        counted = Counted()
        found = commits_by(counted.client).heads(SHARD, at(hour), -1)
        assert next(found).first_seq == heads[max(hour, 0)].first_seq
        assert counted.queries <= 25, hour
    assert list(commits_by(Counted().client).heads(SHARD, at(201), -1)) == []
    assert list(commits_by(Counted().client).heads(ShardKey("i", "none"), at(0), -1)) == []


def test_the_next_page_begins_with_the_commit_that_holds_its_cursor(aws) -> None:
    """A sequence number inside a commit is not skipped; the window's begin still holds."""
    heads = [
        rejected_commit([b"x", b"y"], first_seq=BIG_SEQ + 10 * n, arrival=at(n))[0].head
        for n in range(6)
    ]
    store(heads)
    commits = commits_by(Counted().client)
    for first_seq, begin in ((BIG_SEQ + 31, 3), (BIG_SEQ + 35, 3), (BIG_SEQ, 2), (0, 2)):
        found = [head.first_seq for head in commits.heads(SHARD, at(2), first_seq)]
        assert found == [head.first_seq for head in heads[begin:]]


def test_shards_are_those_of_the_stream_forgotten_ones_too(aws) -> None:
    """All that Kinesis lists and all with lower numbers, sorted, under the stream's incarnation."""
    ranges = {
        "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
        "SequenceNumberRange": {"StartingSequenceNumber": "0"},
    }
    listed = {"Shards": [{"ShardId": f"shardId-{n:012d}"} | ranges for n in (3, 2)]}
    kinesis = boto3.client("kinesis", region_name=REGION)
    with Stubber(kinesis) as stub:
        stub.add_response("list_shards", listed, {"StreamARN": STREAM})
        shards = KinesisShards(kinesis, STREAM, "i").all()
    assert [str(each) for each in shards] == [f"i#shardId-{n:012d}" for n in range(4)]


def at(hour: int):
    return ARRIVAL + timedelta(hours=hour)
