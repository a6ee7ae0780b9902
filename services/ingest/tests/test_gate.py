"""The gate: the fake and DynamoDB keep the same promises (on the engine: moto has no PartiQL)."""

from datetime import timedelta
from uuid import uuid4

import pytest

from ingest.adapters.gate import DynamoGate
from ingest.domain.deduplication import Claim, Holder, Takeover
from ingest.ports import Gate
from millrace.commit import Owner
from millrace.errors import ConfigError
from millrace_testing.tables import GATE, create_table

HORIZON = timedelta(days=30)
DAY_MS = 86_400_000


def claim(name: str, seq: int, *, content: bytes = b"content!", arrival_ms: int = 0) -> Claim:
    return Claim(name.encode().rjust(16), Owner("i#shard-0", seq, 0), content, arrival_ms)


class GateContract:
    """Subclasses provide the fixture `gate`."""

    def test_the_first_insert_wins(self, gate: Gate):
        """Whoever comes first holds the key; a later claim learns of whom it is a duplicate."""
        first, second = claim("a", 1), claim("a", 2, content=b"another!")
        mine = Holder(first.owner, first.content_hash)
        assert gate.claim([first]) == {first.gate_key: mine}
        assert gate.claim([second]) == {first.gate_key: mine}

    def test_the_same_owner_again_is_itself(self, gate: Gate):
        """A second attempt at a record finds its own earlier claim."""
        first = claim("b", 1)
        assert gate.claim([first]) == gate.claim([first])

    def test_many_claims_at_once(self, gate: Gate):
        """More claims than a call takes are all answered, new and taken ones alike."""
        known = [claim(f"k{n}", n) for n in range(130)]
        gate.claim(known)
        bids = [claim(f"k{n}", 1000 + n) for n in range(260)]
        holders = gate.claim(bids)
        assert [holders[each.gate_key].owner.seq for each in bids] == [
            n if n < 130 else 1000 + n for n in range(260)
        ]

    def test_past_the_horizon_a_resend_is_new(self, gate: Gate):
        """The horizon is measured at arrival, and what replaced an expired claim holds the key."""
        first = claim("c", 1)
        gate.claim([first])
        within = claim("c", 2, arrival_ms=29 * DAY_MS)
        assert gate.claim([within])[first.gate_key].owner == first.owner
        beyond = claim("c", 3, arrival_ms=31 * DAY_MS)
        assert gate.claim([beyond])[first.gate_key].owner == beyond.owner
        assert gate.claim([beyond])[first.gate_key].owner == beyond.owner
        assert gate.claim([within])[first.gate_key].owner == beyond.owner

    def test_a_lost_owner_is_replaced_once(self, gate: Gate):
        """Of two that bid for the key of a lost owner one gets it; the other learns nothing yet."""
        first, second, third = claim("e", 1), claim("e", 2, content=b"another!"), claim("e", 3)
        gate.claim([first])
        mine = Holder(second.owner, second.content_hash)
        assert gate.take_over([Takeover(second, first.owner)]) == {second.gate_key: mine}
        assert gate.take_over([Takeover(third, first.owner)]) == {}
        assert gate.claim([third]) == {second.gate_key: mine}

    def test_nothing_is_replaced_when_time_is_up(self, gate: Gate):
        """What was not tried is not in the answer."""
        first, second = claim("f", 1), claim("f", 2)
        gate.claim([first])
        assert gate.take_over([Takeover(second, first.owner)], lambda: False) == {}


class TestFakeGate(GateContract):
    """The fake."""

    @pytest.fixture
    def gate(self, world) -> Gate:
        return world.gate


@pytest.mark.engine
class TestDynamoGate(GateContract):
    """The adapter, on the local engine."""

    @pytest.fixture
    def gate(self, engine) -> Gate:
        name = f"gate-{uuid4().hex[:8]}"
        create_table(engine.client("dynamodb"), name, GATE)
        return DynamoGate(engine.client("dynamodb"), name, HORIZON)

    def test_a_missing_table_is_a_configuration_error(self, engine):
        """What no retry mends is not reported as a throttled record."""
        gate = DynamoGate(engine.client("dynamodb"), "no-such-table", HORIZON)
        with pytest.raises(ConfigError):
            gate.claim([claim("d", 1)])
