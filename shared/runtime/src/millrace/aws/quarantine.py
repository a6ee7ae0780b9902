"""Quarantine on the commits table: marks and rules beside the commits, and commits by arrival.

Marks lie under `<shard>#quarantine`, one item a commit with the commit's own sort key; rules under
`quarantine#rules`. Both partitions are built here alone, and hold nothing that ingest reads.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import orjson
from botocore.exceptions import ClientError

from millrace.aws import ledger_items as items
from millrace.aws.arrivals import KinesisShards, first_arrived
from millrace.aws.batches import TableBatches
from millrace.aws.errors import code_of, translated
from millrace.aws.ledger import DynamoLedger
from millrace.commit import ARRIVAL_SLACK, CommitHead, ShardKey, padded
from millrace.quarantine.marks import (
    CommitKey,
    CommitMarks,
    Mark,
    State,
    parse_runs,
    runs_text,
)
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import rule_of
from millrace.times import from_epoch_ms, to_epoch_ms

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_MARKS = "#quarantine"
_RULES = "quarantine#rules"
_CONDITION_FAILED = "ConditionalCheckFailedException"


class DynamoMarks:
    """`millrace.quarantine.ports.MarkStore`: one item a commit, written under its version."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table
        self._batches = TableBatches(client, table)

    def read(self, keys: Sequence[CommitKey]) -> Mapping[CommitKey, CommitMarks]:
        """Return the marks of each commit, strongly consistent; version 0 where there are none."""
        found = self._batches.read(map(_marks_key, keys), consistent=True)
        marks = {each.key: each for each in map(_marks_of, found)}
        return {key: marks.get(key, CommitMarks(key)) for key in keys}

    def write(self, marks: CommitMarks) -> bool:
        """Replace a commit's marks if the stored version is the one before; return whether so.

        An unanswered write that took effect counts as lost: the marks are read again, and hold it.
        """
        before = marks.version - 1
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(version)"}
        if before:
            condition = {
                "ConditionExpression": "version = :before",
                "ExpressionAttributeValues": items.to_attributes({":before": before}),
            }
        with translated("PutItem marks"):
            try:
                self._client.put_item(TableName=self._table, Item=_marks_item(marks), **condition)
            except ClientError as err:
                if code_of(err) == _CONDITION_FAILED:
                    return False
                raise
        return True


class DynamoRules:
    """`millrace.quarantine.ports.RuleStore`: a rule never changes, its key is its hash."""

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, rule: Rule) -> None:
        """Store a rule, or the same one again."""
        item = _rule_key(rule.rule_hash) | items.to_attributes({"rule": rule.canonical.decode()})
        with translated("PutItem rules"):
            self._client.put_item(TableName=self._table, Item=item)

    def find(self, rule_hash: str) -> Rule | None:
        """Return the rule with this hash, if one was used."""
        with translated("GetItem rules"):
            answer = self._client.get_item(
                TableName=self._table, Key=_rule_key(rule_hash), ConsistentRead=True
            )
        item = answer.get("Item")
        return rule_of(orjson.loads(items.from_attributes(item)["rule"])) if item else None


class DynamoArrivedCommits:
    """`millrace.quarantine.ports.ArrivedCommits` on the commits table."""

    def __init__(self, ledger: DynamoLedger, shards: KinesisShards) -> None:
        self._ledger = ledger
        self._shards = shards

    def shards(self) -> Sequence[ShardKey]:
        """Return every shard that the stream has or had, sorted."""
        return self._shards.all()

    def covering(self, shard: ShardKey, seq: int) -> CommitHead | None:
        """Return the one commit whose range holds the sequence number, if there is one."""
        return self._ledger.covering(shard, seq)

    def heads(self, shard: ShardKey, start: datetime, first_seq: int) -> Iterator[CommitHead]:
        """Yield a shard's commits in order, from the first that may hold arrivals since `start`."""
        begin = first_arrived(self._ledger, shard, start - ARRIVAL_SLACK)
        if begin is None:
            return
        # The commit that holds `first_seq` may begin before it.
        nearest = self._ledger.before(shard, first_seq + 1) if first_seq > begin else None
        yield from self._ledger.heads(shard, max(begin, nearest.first_seq if nearest else 0))


def _marks_key(key: CommitKey) -> "items.Item":
    return items.to_attributes({"shard": f"{key.shard}{_MARKS}", "seq": padded(key.first_seq)})


def _rule_key(rule_hash: str) -> "items.Item":
    return items.to_attributes({"shard": _RULES, "seq": rule_hash})


def _marks_item(marks: CommitMarks) -> "items.Item":
    rows = [
        {
            "state": mark.state.value,
            "lines": runs_text(mark.lines),
            "at_ms": to_epoch_ms(mark.at),
            "who": mark.who,
            "rule": mark.rule_hash,
            "reason": mark.reason,
        }
        for mark in marks.marks
    ]
    fields = {"version": marks.version, "marks": rows}
    return _marks_key(marks.key) | items.to_attributes(fields)


def _marks_of(item: Mapping[str, Any]) -> CommitMarks:
    row = items.from_attributes(item)
    shard = ShardKey.parse(row["shard"].removesuffix(_MARKS))
    return CommitMarks(
        key=CommitKey(shard, int(row["seq"])),
        version=int(row["version"]),
        marks=tuple(
            Mark(
                state=State(fields["state"]),
                lines=parse_runs(fields["lines"]),
                at=from_epoch_ms(int(fields["at_ms"])),
                who=fields["who"],
                rule_hash=fields["rule"],
                reason=fields["reason"],
            )
            for fields in row["marks"]
        ),
    )
