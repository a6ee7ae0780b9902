"""The gate in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ingest.domain.deduplication import Claim, Holder, Takeover
from ingest.ports import HasTime, always


@dataclass
class FakeGate:
    """`ingest.ports.Gate` in a dictionary; `throttled` keys stay unresolved."""

    holders: dict[bytes, tuple[Holder, int]] = field(default_factory=dict)
    throttled: set[bytes] = field(default_factory=set)
    horizon_s: int = 30 * 86_400

    def claim(self, claims: Sequence[Claim], has_time: HasTime = always) -> Mapping[bytes, Holder]:
        answer = {}
        for claim in claims:
            if not has_time():
                break
            if claim.gate_key in self.throttled:
                continue
            arrival_s = claim.arrival_ms // 1000
            mine = Holder(claim.owner, claim.content_hash), arrival_s + self.horizon_s
            holder, expires_at = self.holders.get(claim.gate_key, mine)
            if expires_at <= arrival_s and holder.owner != claim.owner:
                holder, expires_at = mine
            self.holders[claim.gate_key] = holder, expires_at
            answer[claim.gate_key] = holder
        return answer

    def take_over(
        self, takeovers: Sequence[Takeover], has_time: HasTime = always
    ) -> Mapping[bytes, Holder]:
        answer = {}
        for each in takeovers:
            claim = each.claim
            if has_time() and self.holders[claim.gate_key][0].owner == each.lost:
                expires_at = claim.arrival_ms // 1000 + self.horizon_s
                holder = Holder(claim.owner, claim.content_hash)
                self.holders[claim.gate_key] = holder, expires_at
                answer[claim.gate_key] = holder
        return answer
