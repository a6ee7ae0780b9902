"""From a plan to the whole sample: lines to send, rows to load, and the truth about them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from millrace_cli.generate.faults import Delivery, deliveries, without_gaps
from millrace_cli.generate.plan import Plan
from millrace_cli.generate.population import Population
from millrace_cli.generate.sessions import SessionWriter
from millrace_cli.generate.truth import Truth


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything that one plan makes."""

    deliveries: Sequence[Delivery]
    experiments: Sequence[dict[str, object]]
    assignments: Sequence[dict[str, object]]
    truth: Truth

    @property
    def lines(self) -> Iterator[bytes]:
        """The records in order of arrival, malformed ones included; none holds a line break."""
        return (each.data for each in self.deliveries)


def make_sample(plan: Plan) -> Sample:
    """Return the sample of `plan`: the same for the same plan, always.

    Raises:
        CommandError: a fault that the plan asks for cannot be had in it.
    """
    population = Population(plan.seed, plan.events, plan.begin, plan.end)
    whole = SessionWriter(plan, population).events()
    events, silences, missing_days = without_gaps(plan, whole)
    sent = deliveries(plan, events)
    experiments, assignments = population.experiment_rows(), population.assignment_rows()
    truth = Truth(plan, sent, silences, missing_days, len(experiments), len(assignments))
    return Sample(sent, experiments, assignments, truth)
