"""What a request does: plan and start a replay, look at one or list them, move one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice

from millrace.problems import Refusal, refused_field
from millrace.replay.errors import InvalidRequest, UnknownReplay
from millrace.replay.operations import Operations, Order, ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.record import Action, InvalidMove, Replay, ReplayPlace
from millrace.replay.selection import Selection, SelectionTooLarge
from replay_api.deadline import in_time
from replay_api.domain.refusals import RefusalKind
from replay_api.domain.targets import target_url
from replay_api.requests import ReplayRequest


@dataclass(frozen=True, slots=True)
class Page:
    """Some replays, newest first, and after which one the next page begins."""

    replays: tuple[Replay, ...]
    next_after: ReplayPlace | None


@dataclass(frozen=True, slots=True)
class ReplayDesk:
    """The use cases, over their ports."""

    planner: Planner
    operations: Operations
    metrics: Callable[[], MetricDefinitions]
    """The deployed definitions. May block; raise ConfigError, RetryableError or ObjectMissing."""
    target_queues: Mapping[str, str]
    """URLs by ARN of the queues of the user's own."""
    max_events: int

    def start(self, request: ReplayRequest, who: str, within_s: float) -> tuple[Replay, Plan]:
        """Plan a replay and apply the plan, planning for about `within_s` seconds at most.

        Raises:
            Refusal: it cannot be meant, is too large or takes too long; nothing was started.
            ConfigError, RetryableError, MillraceError: as Planner.plan and Operations.apply.
        """
        try:
            selection = self._bounded(request.selection())
            queue_url = target_url(request.queue_arn, self.target_queues)
            planner = in_time(self.planner, within_s)
            plan = planner.plan(selection, self.metrics(), who, request.rate)
            order = Order(who, request.reason, request.rate, dry_run=request.dry_run)
            return self.operations.apply(plan.plan_id, order, queue_url), plan
        except InvalidRequest as err:
            raise refused_field(RefusalKind.INVALID, err.field, err.fault) from err
        except SelectionTooLarge as err:
            raise refused_field(
                RefusalKind.SELECTION_TOO_LARGE,
                "limit",
                f"{err}; a request's limit goes up to {self.max_events}",
            ) from err

    def _bounded(self, selection: Selection) -> Selection:
        if selection.limit is None or selection.limit > self.max_events:
            raise refused_field(
                RefusalKind.SELECTION_TOO_LARGE,
                "limit",
                f"is above {self.max_events}, as many as can be planned within a request; ask for "
                "less, or plan it with `millrace replay plan` and apply that",
            )
        return selection

    def status(self, replay_id: str) -> ReplayStatus:
        """Return where a replay stands.

        Raises:
            Refusal: there is none of that id.
        """
        try:
            return self.operations.status(replay_id)
        except UnknownReplay as err:
            raise _not_found(replay_id) from err

    def page(self, after: ReplayPlace | None, size: int) -> Page:
        """Return at most `size` replays, newest first, from behind `after` on."""
        found = tuple(islice(self.operations.ledger.replays(after), size + 1))
        shown = found[:size]
        return Page(shown, shown[-1].place if len(found) > size else None)

    def move(self, replay_id: str, action: Action, who: str, reason: str) -> Replay:
        """Pause, resume or cancel a replay.

        Raises:
            Refusal: there is none of that id, or its state does not allow it.
        """
        moves = {
            Action.PAUSE: self.operations.pause,
            Action.RESUME: self.operations.resume,
            Action.CANCEL: self.operations.cancel,
        }
        try:
            return moves[action](replay_id, who, reason)
        except UnknownReplay as err:
            raise _not_found(replay_id) from err
        except InvalidMove as err:
            raise Refusal(RefusalKind.INVALID_MOVE, str(err)) from err


def _not_found(replay_id: str) -> Refusal:
    return refused_field(
        RefusalKind.NOT_FOUND, "id", f"there is no replay {replay_id!r}; GET /replays lists them"
    )
