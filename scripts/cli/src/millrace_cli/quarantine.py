"""Quarantine of one environment: what its commands work with."""

import base64
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from millrace.aws.arrivals import KinesisShards
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.aws.quarantine import DynamoArrivedCommits, DynamoMarks, DynamoRules
from millrace.clock import SystemClock
from millrace.commit import ShardKey
from millrace.errors import ConfigError, MillraceError, ObjectMissing, RetryableError
from millrace.event import EventLimits
from millrace.quarantine.dropping import Dropping
from millrace.quarantine.following import Fate, all_committed, fates
from millrace.quarantine.patching import Patched, Preview
from millrace.quarantine.reading import Held, Quarantine
from millrace.quarantine.record import BadPlace
from millrace.quarantine.recovering import Recovery
from millrace.quarantine.rule import Rule
from millrace.quarantine.rule_text import BadRule, RuleOptions, parse_rule_file, rule_of_options
from millrace.quarantine.stats import Statistics
from millrace.times import format_ms
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode
from millrace_cli.kinesis import KinesisStream
from millrace_cli.quarantine_door import StreamDoor

_STALL_S = 120.0
_POLL_S = 0.5
_SKEW, _SIZE = "MAX_FUTURE_SKEW_S", "MAX_EVENT_BYTES"
"""How ingest's settings are called in its environment."""


@dataclass(frozen=True, slots=True)
class Quarantines:
    """The use cases on one environment's resources."""

    environment: Environment
    ledger: DynamoLedger
    marks: DynamoMarks
    rules: DynamoRules
    quarantine: Quarantine

    @classmethod
    def of(cls, environment: Environment) -> "Quarantines":
        """Return them for a deployment."""
        outputs, clients = environment.outputs, environment.clients
        dynamodb, table = clients.dynamodb(), outputs.tables.commits
        incarnation = outputs.stream_incarnation
        ledger, marks = DynamoLedger(dynamodb, table), DynamoMarks(dynamodb, table)
        shards = KinesisShards(clients.kinesis(), outputs.stream_arn, incarnation)
        objects = S3Objects(clients.s3(), outputs.data_bucket)
        return cls(
            environment=environment,
            ledger=ledger,
            marks=marks,
            rules=DynamoRules(dynamodb, table),
            quarantine=Quarantine(
                DynamoArrivedCommits(ledger, shards), objects, marks, incarnation
            ),
        )

    def door(self, rate: float | None) -> StreamDoor:
        """Return the stream to recover to."""
        kinesis = self.environment.clients.kinesis()
        return StreamDoor(KinesisStream(kinesis, self.environment.outputs.stream_arn), rate)

    def recovery(self, door: StreamDoor) -> Recovery:
        """Return the use case, with the limits that ingest has."""
        return Recovery(self.marks, self.rules, door, SystemClock(), self.limits())

    def dropping(self) -> Dropping:
        """Return the use case."""
        return Dropping(self.marks, SystemClock())

    def limits(self) -> EventLimits:
        """Return ingest's limits as they are deployed.

        Raises:
            CommandError: the function's settings cannot be read.
        """
        name = self.environment.outputs.functions.get("ingest")
        if name is None:
            return (
                EventLimits()
            )  # outputs of before they named functions: what Terraform defaults to
        client = self.environment.clients.functions()
        with explained("read ingest's limits"):
            found = client.get_function_configuration(FunctionName=name)
        variables = found.get("Environment", {}).get("Variables", {})
        default = EventLimits()
        skew = variables.get(_SKEW)
        return EventLimits(
            max_future_skew=timedelta(seconds=int(skew)) if skew else default.max_future_skew,
            max_event_bytes=int(variables.get(_SIZE, default.max_event_bytes)),
        )

    def rule(self, named: str | None, options: RuleOptions, *, as_is: bool = False) -> Rule:
        """Return the rule in a file, one that was used before by its hash, or one of options.

        Raises:
            CommandError: none is given, or more than one; or it cannot be meant.
        """
        if (named is not None) + (not options.empty) + as_is != 1:
            raise CommandError(
                "no rule, or more than one",
                "give a file, the hash of a rule that was used, options, or --as-is",
                ExitCode.USAGE,
            )
        if as_is:
            return Rule()
        if named is None:
            return rule_of_options(options)
        return self._named(named)

    def _named(self, named: str) -> Rule:
        file = Path(named)
        if file.is_file():
            return parse_rule_file(file.read_bytes(), named)
        found = self.rules.find(named)
        if found is None:
            raise CommandError(
                f"{named} is neither a file nor the hash of a rule that was used",
                "`millrace quarantine patch --help` says how to write one",
                ExitCode.USAGE,
            )
        return found

    def followed(self, door: StreamDoor) -> Counter[Fate] | None:
        """Wait until ingest has committed what was sent; return what became of it.

        None: no shard moved on for two minutes.
        """
        incarnation = self.environment.outputs.stream_incarnation
        sent = {ShardKey(incarnation, each): seqs for each, seqs in door.sent.sequences.items()}
        seen: object = None
        deadline = time.monotonic() + _STALL_S
        while not all_committed(self.ledger, sent):
            moved = {shard: self.ledger.read(shard).committed_seq for shard in sent}
            if moved != seen:
                seen, deadline = moved, time.monotonic() + _STALL_S
            if time.monotonic() >= deadline:
                return None
            time.sleep(_POLL_S)
        return fates(self.ledger, sent)


@contextmanager
def quarantined(intent: str) -> Iterator[None]:
    """Turn what quarantine's use cases raise into a CommandError.

    Raises:
        CommandError: always, in place of an error of Millrace or AWS.
    """
    try:
        with explained(intent):
            yield
    except (BadRule, BadPlace) as err:
        raise CommandError(str(err), code=ExitCode.USAGE) from err
    except ObjectMissing as err:
        raise CommandError(
            f"quarantine object {err.key} is gone", "look at the bucket's lifecycle and versions"
        ) from err
    except (ConfigError, RetryableError):
        raise
    except MillraceError as err:
        raise CommandError(f"cannot {intent}: {err}") from err


def record_fields(held: Held) -> dict[str, Any]:
    """Return one record for JSON, without its bytes."""
    record, mark = held.record, held.mark
    return {
        "record": str(record.place),
        "reason": record.reason,
        "message": record.message,
        "state": held.state.value,
        "arrival_time": format_ms(record.arrival),
        "source": record.traits.source,
        "event_type": record.traits.event_type,
        "schema_version": record.traits.schema_version,
        "bytes": len(record.data),
        "rule": mark.rule_hash or None if mark else None,
    }


def whole_fields(held: Held, rule: Rule | None) -> dict[str, Any]:
    """Return one record for JSON with its bytes, its commit and what was done about it.

    rule: the one in its mark.
    """
    record, mark, head = held.record, held.mark, held.record.commit
    return record_fields(held) | {
        "bytes_base64": base64.b64encode(record.data).decode(),
        "commit": {
            "commit_id": head.commit_id,
            "committed_at": format_ms(head.committed_at),
            "correlation_id": head.correlation_id,
            "quarantine_key": head.quarantine_key,
            "line": record.line,
        },
        "mark": {
            "state": mark.state.value,
            "at": format_ms(mark.at),
            "who": mark.who,
            "reason": mark.reason,
            "rule": rule.to_fields() if rule else None,
        }
        if mark
        else None,
    }


def patched_fields(outcome: Patched) -> dict[str, Any]:
    """Return one example of a preview for JSON; bytes as text, what is no UTF-8 replaced."""
    return {
        "record": str(outcome.record.place),
        "rejected": outcome.record.reason,
        "before": outcome.record.data.decode(errors="replace"),
        "after": None if outcome.data is None else outcome.data.decode(errors="replace"),
        "valid": outcome.event is not None,
        "event_id": outcome.event.event_id if outcome.event else None,
        "problem": outcome.problem,
        "message": outcome.message or None,
    }


def preview_fields(found: Preview) -> dict[str, Any]:
    """Return a preview for JSON."""
    return {
        "rule": found.rule.to_fields(),
        "rule_hash": found.rule.rule_hash,
        "selected": found.selected,
        "valid": found.valid,
        "repeated": found.repeated,
        "mended": dict(found.mended),
        "problems": dict(found.problems),
        "examples": [patched_fields(each) for each in found.examples],
    }


def statistics_fields(found: Statistics) -> Mapping[str, Any]:
    """Return statistics for JSON, the largest group first."""
    return {
        "records": found.records,
        "first_arrival": format_ms(found.first_arrival) if found.first_arrival else None,
        "last_arrival": format_ms(found.last_arrival) if found.last_arrival else None,
        "received": found.received,
        "quarantined": found.quarantined,
        "share": found.share,
        "groups": [
            dict(zip((each.value for each in found.by), group, strict=True)) | {"records": count}
            for group, count in ordered(found)
        ],
    }


def ordered(found: Statistics) -> list[tuple[tuple[str | None, ...], int]]:
    """Return the groups, the largest first, equal ones by name."""
    return sorted(found.groups.items(), key=lambda each: (-each[1], [str(v) for v in each[0]]))
