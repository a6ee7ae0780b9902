"""Replays of one environment: what their commands work with."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from millrace import definitions
from millrace.audit import Operation, audited
from millrace.aws.aggregates import AggregatesReader, scope_key, stored_bounds
from millrace.aws.index import DynamoIndexPages
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.promotions import DynamoPromotions
from millrace.aws.queue import SqsQueue
from millrace.aws.replays import DynamoReplays
from millrace.clock import SystemClock
from millrace.errors import ConfigError, MillraceError, ObjectMissing, RetryableError
from millrace.replay.difference import Comparison
from millrace.replay.diffing import Diffing
from millrace.replay.dry_run import DryRuns, WouldBe
from millrace.replay.errors import InvalidRequest, UnknownReplay
from millrace.replay.operations import Operations, ReplayStatus
from millrace.replay.plan import Plan
from millrace.replay.planning import MetricDefinitions, Planner
from millrace.replay.promoting import Promoting
from millrace.replay.promotion import Outcome
from millrace.replay.record import AuditEntry, Replay
from millrace.replay.selection import DEFAULT_LIMIT, Selection, parse_bound
from millrace.times import format_ms
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


def parse_limit(text: str) -> int | None:
    """Return the limit in a number or `none`.

    Raises:
        CommandError: it is neither.
    """
    if text == "none":
        return None
    if not text.isdecimal():
        raise CommandError(
            f"--limit {text!r} is no limit",
            f"write a number, or none (default {DEFAULT_LIMIT})",
            ExitCode.USAGE,
        )
    return int(text)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is to be replayed, as the options of `plan` and `run` say it."""

    start: str
    end: str
    entity: str | None
    source: str | None
    event_type: str | None
    include_duplicates: bool
    limit: str

    def selection(self) -> Selection:
        """Return the selection.

        Raises:
            InvalidSelection: it cannot be meant.
            CommandError: the limit is none.
        """
        return Selection(
            start=parse_bound(self.start, "--from"),
            end=parse_bound(self.end, "--to"),
            entity_id=self.entity,
            source=self.source,
            event_type=self.event_type,
            include_duplicates=self.include_duplicates,
            limit=parse_limit(self.limit),
        )


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


def plan_fields(plan: Plan) -> dict[str, Any]:
    """Return a plan for JSON, without the list of its parts."""
    return {name: value for name, value in plan.to_fields().items() if name != "chunks"}


def replay_fields(replay: Replay) -> dict[str, Any]:
    """Return a replay for JSON."""
    return {
        "replay_id": replay.replay_id,
        "plan_id": replay.plan_id,
        "plan_hash": replay.plan_hash,
        "version": replay.version,
        "state": replay.state.value,
        "dry_run": replay.dry_run,
        "defs_version": replay.defs_version,
        "messages": replay.messages,
        "sent": replay.cursor.sent,
        "rate": replay.rate,
        "current_rate": replay.current_rate,
        "slowed_because": replay.slowed_because,
        "failed_because": replay.failed_because,
        "started_by": replay.started_by,
        "started_at": format_ms(replay.started_at),
        "reason": replay.reason,
        "updated_at": format_ms(replay.updated_at),
    }


def status_fields(status: ReplayStatus) -> dict[str, Any]:
    """Return a replay with its progress and audit for JSON."""
    progress = status.progress
    return replay_fields(status.replay) | {
        "enriched": progress.enriched,
        "counted": progress.counted,
        "skipped": progress.skipped,
        "skipped_events": [
            {"event_id": each.event_id, "place": each.place, "reason": each.reason,
             "detail": each.detail}
            for each in status.skipped
        ],
        "audit": [_audit_fields(each) for each in status.audit],
    }  # fmt: skip


def _audit_fields(entry: AuditEntry) -> dict[str, Any]:
    return {
        "at": format_ms(entry.at),
        "who": entry.who,
        "action": entry.action.value,
        "reason": entry.reason,
        "result": entry.result,
    }


def comparison_fields(comparison: Comparison) -> dict[str, Any]:
    """Return one row of a diff for JSON; values as text, so that no digit is lost."""
    key = comparison.key
    first, last = stored_bounds(key.window)
    live, replayed = comparison.live, comparison.replayed
    return {
        "scope": scope_key(key.scope),
        "metric_name": key.metric,
        "window": key.window.width.value,
        "window_start": first,
        "window_end": last,
        "verdict": comparison.verdict.value,
        "live": str(live.value) if live else None,
        "replayed": str(replayed.value) if replayed else None,
        "difference": str(comparison.difference),
        "live_events": live.event_count if live else 0,
        "replayed_events": replayed.event_count if replayed else 0,
        "more_events_in_live": comparison.more_in_live,
        "only_in_live": list(comparison.only_live),
        "live_defs_version": live.defs_version if live else None,
        "replayed_defs_version": replayed.defs_version if replayed else None,
    }


def would_be_fields(row: WouldBe) -> dict[str, Any]:
    """Return a row that a dry run would have written for JSON; its value as text."""
    key = row.key
    first, last = stored_bounds(key.window)
    return {
        "scope": scope_key(key.scope),
        "metric_name": key.metric,
        "window": key.window.width.value,
        "window_start": first,
        "window_end": last,
        "value": str(row.delta.value),
        "event_count": row.delta.event_count,
        "sample_event_ids": list(row.delta.sample_event_ids),
    }


def outcome_fields(outcome: Outcome) -> dict[str, Any]:
    """Return what became of one row for JSON; values as text, so that no digit is lost."""
    key = outcome.key
    first, last = stored_bounds(key.window)
    return {
        "scope": scope_key(key.scope),
        "metric_name": key.metric,
        "window": key.window.width.value,
        "window_start": first,
        "window_end": last,
        "outcome": outcome.kind.value,
        "why": outcome.why,
        "before": str(outcome.before.value),
        "after": str(outcome.after.value),
        "events_before": outcome.before.event_count,
        "events_after": outcome.after.event_count,
    }
