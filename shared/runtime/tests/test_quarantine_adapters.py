"""Marks, rules and commits by arrival: fakes and DynamoDB keep the same promises."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from random import Random

import boto3
import pytest
from moto import mock_aws

from millrace.aws.commit_pages import DynamoCommitPages, KinesisShards
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
    shards = KinesisShards(boto3.client("kinesis", region_name=REGION), STREAM, SHARD.incarnation)
    pages = DynamoCommitPages(client, "commits", shards)
    return DynamoArrivedCommits(DynamoLedger(client, "commits"), pages)


def within(client, hour: int, first_seq: int = -1) -> list[int]:
    """Return where the commits begin that hold arrivals from that hour on."""
    heads = commits_by(client).heads(SHARD, at(hour), first_seq)
    return [head.first_seq for head in heads if head.last_arrival >= at(hour)]


def test_where_a_window_begins_is_found_by_halving(aws) -> None:
    """Any start finds its first commit, in a dozen reads of 200 commits and not by a scan."""
    draw = Random(8)
    seq, heads = BIG_SEQ, []
    for hour in range(200):
        commit, _ = rejected_commit([b"x", b"y"], first_seq=seq, arrival=at(hour))
        heads.append(commit.head)
        seq += draw.choice([2, 3, 10**6, 10**30])  # neighbours, and silences
    store(heads)
    for hour in (-1, 0, 1, 57, 198, 199, 200):
        counted = Counted()
        assert within(counted.client, hour) == [head.first_seq for head in heads[max(hour, 0) :]]
        assert counted.queries <= 25, hour
    assert list(commits_by(Counted().client).heads(ShardKey("i", "none"), at(0), -1)) == []


def test_a_commit_that_reaches_into_a_window_is_in_it(aws) -> None:
    """It began before: its later records may be the ones that are meant."""
    first, _ = rejected_commit([b"x", b"y"], first_seq=BIG_SEQ, arrival=at(0))
    store([replace(first.head, last_arrival=at(2))])
    assert within(Counted().client, 1) == within(Counted().client, 2) == [BIG_SEQ]
    assert within(Counted().client, 3) == []


def test_the_next_page_begins_with_the_commit_that_holds_its_cursor(aws) -> None:
    """A sequence number inside a commit is not skipped; the window's begin still holds."""
    heads = [
        rejected_commit([b"x", b"y"], first_seq=BIG_SEQ + 10 * n, arrival=at(n))[0].head
        for n in range(6)
    ]
    store(heads)
    for first_seq, begin in ((BIG_SEQ + 31, 3), (BIG_SEQ + 35, 3), (BIG_SEQ, 2), (0, 2)):
        found = within(Counted().client, 2, first_seq)
        assert found == [head.first_seq for head in heads[begin:]]


def at(hour: int):
    return ARRIVAL + timedelta(hours=hour)
