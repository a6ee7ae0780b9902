"""An event found by its id, through the gate that ingest fills, on the local engine."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ingest.adapters.gate import DynamoGate
from ingest.domain.deduplication import Claim
from millrace.aws.events import EventReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.commit import Checkpoint, Owner, ShardKey
from millrace.event import read_event
from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, commit_of, event_bytes
from millrace_testing.tables import COMMITS, GATE, create_table

pytestmark = pytest.mark.engine

FIRST_SEQ = 49581544954143914480256700934210366840104395343224897586


def test_the_gates_item_leads_to_the_bytes(engine):
    """What PartiQL inserted, a plain read finds: the owner, its commit, its line, its bytes."""
    name, dynamodb, s3 = f"by-id-{uuid4().hex[:8]}", engine.client("dynamodb"), engine.client("s3")
    create_table(dynamodb, f"{name}-gate", GATE)
    create_table(dynamodb, f"{name}-commits", COMMITS)
    s3.create_bucket(Bucket=name)
    shard = ShardKey("1a2b3c4d", "shardId-000000000001")
    lines = [event_bytes(n, event_id=f"a#{n}/ü") for n in range(40)]
    commit, raw = commit_of(lines, shard=shard, first_seq=FIRST_SEQ)
    gate = DynamoGate(dynamodb, f"{name}-gate", timedelta(days=30))
    events = [read_event(line) for line in lines]
    gate.claim(
        [
            Claim(
                event.gate_key,
                Owner(str(shard), FIRST_SEQ + n, 0),
                event.content_hash,
                to_epoch_ms(ARRIVAL),
            )
            for n, event in enumerate(events)
        ]
    )
    ledger, objects = DynamoLedger(dynamodb, f"{name}-commits"), S3Objects(s3, name)
    objects.put_new(str(commit.head.raw_key), raw)
    assert ledger.commit(Checkpoint(), Checkpoint(1, FIRST_SEQ + 39, ()), commit)
    reader = EventReader(dynamodb, f"{name}-gate", ledger, objects)
    for n in (0, 17, 39):
        found = reader.by_id("web", f"a#{n}/ü")
        assert found is not None
        assert (found.raw, found.line) == (lines[n], n)
        assert found.commit_id == commit.head.commit_id
    assert reader.by_id("mobile", "a#0/ü") is None
