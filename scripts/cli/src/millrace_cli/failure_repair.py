"""Repairing what the stream's mapping gave up, batch after batch, until it is done.

The deployed ingest repairs, with its own code, rights and settings. A call does what its time
allows; the command asks again until nothing is left. Killed anywhere, it can be run again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import orjson

from millrace.audit import Tally
from millrace.discarded.request import Action, DiscardedAnswer, DiscardedRequest
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError
from millrace_cli.failures import Failure

if TYPE_CHECKING:
    from types_boto3_lambda import LambdaClient

_FUNCTION = "ingest"
_FRUITLESS_CALLS = 10
"""Calls in a row that commit nothing: a busy shard takes a few, a broken one all."""


class RepairFunction(Protocol):
    """The deployed ingest, as a repair needs it."""

    def ask(self, request: DiscardedRequest) -> DiscardedAnswer:
        """Invoke it and return its answer; blocks for as long as it may run.

        Raises:
            CommandError: it is not there, or it failed.
        """
        ...


class LambdaRepair:
    """`RepairFunction` on Lambda."""

    def __init__(self, environment: Environment) -> None:
        names = environment.outputs.functions
        if _FUNCTION not in names:
            raise CommandError("this deployment has no ingest", "apply Terraform again")
        self._name = names[_FUNCTION]
        self._client: LambdaClient = environment.clients.functions()

    def ask(self, request: DiscardedRequest) -> DiscardedAnswer:
        """Invoke the function and return its answer."""
        with explained(f"{request.action} a discarded batch"):
            answer = self._client.invoke(
                FunctionName=self._name, Payload=orjson.dumps(request.as_event())
            )
            payload = orjson.loads(answer["Payload"].read())
        if answer.get("FunctionError"):
            problem = payload.get("errorMessage", "it ended without an answer")
            raise CommandError(f"ingest failed: {problem}", "see the function's log")
        if "batchItemFailures" in payload:
            raise CommandError("the deployed ingest cannot repair", "deploy this release first")
        return DiscardedAnswer.parse(payload)


@dataclass(slots=True)
class Repair:
    """What a repair made of one batch so far."""

    failure: Failure
    calls: int = 0
    committed: int = 0
    accepted: int = 0
    duplicates: int = 0
    quarantined: int = 0
    last: DiscardedAnswer = field(default_factory=DiscardedAnswer)
    problem: str = ""
    """Why it is not repaired; empty if it is."""

    def add(self, answer: DiscardedAnswer) -> None:
        """Count what one call did."""
        self.calls += 1
        self.last = answer
        self.committed += answer.committed
        self.accepted += answer.accepted
        self.duplicates += answer.duplicates
        self.quarantined += answer.quarantined

    def as_dict(self) -> dict[str, Any]:
        """Return the repair for JSON."""
        return {
            "id": self.failure.batch.batch_id,
            "shard": self.failure.batch.shard.shard_id,
            "records": self.failure.batch.records,
            "source": self.last.source,
            "covered_before": self.last.covered - (self.committed - self.last.committed),
            "committed": self.committed,
            "accepted": self.accepted,
            "duplicates": self.duplicates,
            "quarantined": self.quarantined,
            "missing": self.last.missing,
            "calls": self.calls,
            "repaired": not self.problem,
            "problem": self.problem,
        }


def repair_all(
    function: RepairFunction,
    failures: Sequence[Failure],
    tally: Tally,
    listeners: Iterable[Callable[[int, Repair], None]] = (),
) -> list[Repair]:
    """Repair batch after batch; one that cannot be stops no other.

    listeners: told after each call how many batches are done, and of the one at work.
    """
    repairs: list[Repair] = []
    for number, failure in enumerate(failures):
        repair = Repair(failure)
        repairs.append(repair)
        try:
            for answer in _answers(function, failure):
                repair.add(answer)
                tally.add("committed", answer.committed)
                for listener in listeners:
                    listener(number, repair)
            repair.problem = _problem(repair.last)
        except CommandError as err:
            repair.problem = str(err)
        tally.add("failed" if repair.problem else "repaired")
    return repairs


def _answers(function: RepairFunction, failure: Failure) -> Iterator[DiscardedAnswer]:
    """Ask until it is done, refused, or nothing moves any more."""
    request = DiscardedRequest.about(Action.REPAIR, failure.batch)
    fruitless = 0
    while fruitless < _FRUITLESS_CALLS:
        answer = function.ask(request)
        yield answer
        if answer.done or answer.refused:
            return
        fruitless = 0 if answer.committed else fruitless + 1


def _problem(last: DiscardedAnswer) -> str:
    if last.refused:
        return last.refused
    if not last.done:
        return last.error or "it makes no progress: see ingest's log"
    if last.missing:
        return f"{last.missing} of its records are nowhere any more: abandon what is left of it"
    return ""
