"""Replays of one environment: what their commands work with."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from millrace import definitions
from millrace.audit import Operation, audited
from millrace.aws.aggregates import AggregatesReader
from millrace.aws.index import DynamoIndexPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.promotions import DynamoPromotions
from millrace.aws.queue import SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.errors import ConfigError, MillraceError, ObjectMissing, RetryableError
from millrace.replay.diffing import Diffing
from millrace.replay.dry_run import DryRuns
from millrace.replay.errors import InvalidRequest, UnknownReplay
from millrace.replay.operations import Operations
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.promoting import Promoting
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.operators import audit_log, operator, stated_reason


@dataclass(frozen=True, slots=True)
class Replays:
    """The use cases on one environment's resources."""

    planner: Planner
    operations: Operations
    diffing: Diffing
    objects: S3Objects
    metrics_key: str
    promoting: Promoting
    dry_runs: DryRuns

    @classmethod
    def of(cls, environment: Environment) -> "Replays":
        """Return them for a deployment that has replays.

        Raises:
            CommandError: it has none, because it was deployed by an earlier release.
        """
        outputs, clients = environment.outputs, environment.clients
        queues = outputs.queue_urls
        table, key, markers = outputs.tables.replays, outputs.metrics_key, outputs.tables.markers
        if (
            table is None
            or key is None
            or markers is None
            or not {"replay", "replay_work"} <= queues.keys()
        ):
            raise CommandError("this deployment has no replays", "apply Terraform again")
        dynamodb, clock = clients.dynamodb(), SystemClock()
        ledger = DynamoReplays(dynamodb, table)
        objects = S3Objects(clients.s3(), outputs.data_bucket)
        pages = DynamoIndexPages(dynamodb, outputs.tables.event_index)
        commits = DynamoLedger(dynamodb, outputs.tables.commits)
        planner = Planner(pages, commits, objects, ledger, clock)
        work = SqsQueue(clients.sqs(), queues["replay_work"])
        aggregates = AggregatesReader(dynamodb, outputs.tables.aggregates)
        diffing = Diffing(ledger, aggregates, objects, planner, definitions.parse)
        rows = DynamoPromotions(dynamodb, outputs.tables.aggregates, markers, table)
        return cls(
            planner=planner,
            operations=Operations(
                ledger, work, queues["replay"], clock, reason_required=environment.endpoint is None
            ),
            diffing=diffing,
            objects=objects,
            metrics_key=key,
            promoting=Promoting(diffing, commits, rows, queues["replay"]),
            dry_runs=DryRuns(ledger, objects, definitions.parse),
        )

    def definitions_in(self, file: Path | None) -> MetricDefinitions:
        """Return the definitions of a file, or the deployed ones.

        Raises:
            CommandError: the file cannot be read, or holds no valid definitions.
        """
        try:
            body = file.read_bytes() if file else self.objects.get(self.metrics_key)
            return MetricDefinitions(definitions.parse(body, str(file or self.metrics_key)), body)
        except OSError as err:
            raise CommandError(
                f"--metrics: cannot read {file}: {err.strerror}", code=ExitCode.USAGE
            ) from err
        except ObjectMissing as err:
            raise CommandError(
                f"the deployed metric definitions are gone: {err}", "apply Terraform again"
            ) from err
        except ConfigError as err:
            raise CommandError(f"--metrics: {err}", code=ExitCode.USAGE) from err


@contextmanager
def asked(intent: str) -> Iterator[None]:
    """Turn what a replay's use case raises into a CommandError.

    Raises:
        CommandError: always, in place of an error of Millrace or AWS.
    """
    try:
        with explained(intent):
            yield
    except InvalidRequest as err:
        raise CommandError(str(err), code=ExitCode.USAGE) from err
    except UnknownReplay as err:
        raise CommandError(
            str(err), "`millrace replay list` lists what there is", ExitCode.USAGE
        ) from err
    except (ConfigError, RetryableError):
        raise
    except MillraceError as err:
        raise CommandError(f"cannot {intent}: {err}") from err


@contextmanager
def kept_in_audit(environment: Environment, verb: str, subject: str, reason: str) -> Generator[str]:
    """Hand out the reason, and keep in the audit what is done to a plan or a replay with it.

    Raises:
        CommandError: a reason is needed here, and there is none.
    """
    said = stated_reason(environment, reason)
    operation = Operation(f"replay.{verb}", subject, operator(), said)
    with audited(audit_log(environment), SystemClock(), operation):
        yield said
