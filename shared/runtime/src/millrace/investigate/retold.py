"""Which replays ran an event again, and how far each came with it."""

from collections.abc import Iterator
from dataclasses import dataclass

from millrace.investigate.biography import COUNTED, Touched, index_entry_of
from millrace.investigate.finding import FoundEvent
from millrace.investigate.ports import Replays
from millrace.read_cost import Budget
from millrace.replay.errors import UnknownReplay
from millrace.replay.plan import Plan
from millrace.replay.progress import place_hash
from millrace.replay.record import Replay
from millrace.times import format_ms


@dataclass(frozen=True, slots=True)
class ReplayTrail:
    """Looks an event up in the progress of every replay whose selection holds it."""

    replays: Replays

    def of(self, found: FoundEvent, budget: Budget) -> tuple[list[Touched], str]:
        """Return the replays of an event, newest first, and a note if not all were looked at."""
        touched: list[Touched] = []
        plans: dict[str, Plan | None] = {}
        for replay in self.replays.replays():
            bound = budget.spent
            if bound is not None:
                since = format_ms(replay.started_at)
                return touched, f"the {bound} ran out: replays up to {since} were not looked at"
            if replay.plan_id not in plans:
                plans[replay.plan_id] = self._plan(replay)
            plan = plans[replay.plan_id]
            if plan is not None and plan.selection.wants(index_entry_of(found.event, found.line)):
                touched += self._trace(found, replay, plan)
        return touched, ""

    def _plan(self, replay: Replay) -> Plan | None:
        try:
            return self.replays.plan(replay.plan_id)
        except UnknownReplay:
            return None

    def _trace(self, found: FoundEvent, replay: Replay, plan: Plan) -> Iterator[Touched]:
        """Yield how far the replay came with the event; nothing if it was not in its plan."""
        place = found.line.place
        wanted = place_hash(f"{place.key}@{place.offset}:{place.line_in_member}")
        made = [each for each in self.replays.objects(replay.replay_id) if wanted in each.places]
        if made:
            # SQS may deliver twice: the event counts once, in whichever object came first.
            best = max(made, key=lambda each: each.counted)
            yield _touched(replay, COUNTED if best.counted else "enriched", best.key)
            return
        for skipped in self.replays.skipped(replay.replay_id):
            if place_hash(skipped.place) == wanted:
                yield _touched(replay, f"skipped: {skipped.reason}")
                return
        committed_before = found.line.head.committed_at < plan.created_at
        if committed_before and not replay.state.ended:
            yield _touched(replay, "planned")


def _touched(replay: Replay, outcome: str, object_key: str | None = None) -> Touched:
    return Touched(
        replay_id=replay.replay_id,
        version=replay.version,
        state=replay.state.value,
        started_at=replay.started_at,
        reason=replay.reason,
        outcome=outcome,
        dry_run=replay.dry_run,
        object_key=object_key,
        defs_version=replay.defs_version,
    )
