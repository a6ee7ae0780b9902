"""Investigations of one environment: the use cases, wired to its tables and its bucket."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from millrace.aws import investigation
from millrace.commit import ShardKey
from millrace.errors import ConfigError, MillraceError, RetryableError
from millrace.investigate.biographer import Biographer
from millrace.investigate.errors import InvalidQuestion
from millrace.read_cost import Budget
from millrace_cli.aws import explained
from millrace_cli.environment import Environment, Outputs
from millrace_cli.errors import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much one command may read."""

    max_pages: int
    deadline_s: float


class Investigation(investigation.Investigation):
    """What can be asked of one environment; every read of it is counted in `cost`."""

    def __init__(self, environment: Environment) -> None:
        clients, self._outputs = environment.clients, environment.outputs
        names = _names(environment.outputs)
        self.dynamodb = clients.dynamodb()
        """Its reads are counted."""
        super().__init__(names, self.dynamodb, clients.s3(), clients.kinesis())

    def budget(self, bounds: Bounds) -> Budget:
        """Return a budget that begins now."""
        deadline = self.clock.now() + timedelta(seconds=bounds.deadline_s)
        return Budget(self.cost, self.clock, max_pages=bounds.max_pages, deadline=deadline)

    @property
    def biographer(self) -> Biographer:
        """The biographies of events.

        Raises:
            CommandError: the environment was deployed before there were replays.
        """
        if self._outputs.tables.replays is None:
            raise CommandError(
                "this environment has no table of replays", "deploy it anew (`make deploy`)"
            )
        return super().biographer

    def shard(self, name: str) -> ShardKey:
        """Return the shard of a name as `millrace status` shows it, or as commit rows hold it."""
        if "#" in name:
            return ShardKey.parse(name)
        return ShardKey(self._outputs.stream_incarnation, name)


def _names(outputs: Outputs) -> investigation.Investigated:
    tables = outputs.tables
    return investigation.Investigated(
        commits_table=tables.commits,
        gate_table=tables.gate,
        event_index_table=tables.event_index,
        aggregates_table=tables.aggregates,
        manifests_table=tables.manifests,
        replays_table=tables.replays or "",
        data_bucket=outputs.data_bucket,
        stream_arn=outputs.stream_arn,
        stream_incarnation=outputs.stream_incarnation,
    )


@contextmanager
def answering(intent: str) -> Iterator[None]:
    """Turn what an investigation raises inside the block into a CommandError.

    Raises:
        CommandError: naming the option that is wrong, or what could not be read.
    """
    with explained(intent):
        try:
            yield
        except InvalidQuestion as err:
            option = f"--{err.field.replace('_', '-')}"
            raise CommandError(f"{option}: {err.problem}", code=ExitCode.USAGE) from err
        except (ConfigError, RetryableError):
            raise
        except MillraceError as err:
            raise CommandError(f"cannot {intent}: {err}") from err


def now() -> datetime:
    """Return the present, to say what a period means that was left out."""
    return datetime.now(UTC)
