"""Aggregate rows of one scope: which windows, which metric, which version."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

import orjson

from millrace.aggregates import LIVE, AggregateRow, Scope, Version
from millrace.aws.aggregate_fields import row_fields
from millrace.aws.aggregates import AggregatesReader, scope_of
from millrace.windows import WindowWidth
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError, ExitCode


@dataclass(frozen=True, slots=True)
class AggregateQuery:
    """Which rows of a scope to return; None means any."""

    scope: Scope
    window: WindowWidth = WindowWidth.HOUR
    metric: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    """Windows that start before it: half-open, as windows are."""
    version: Version | None = LIVE


def parse_scope(text: str) -> Scope:
    """Return the scope in `TYPE#edit` or `EXPERIMENT#e1#VARIANT#A`, as the table's keys say it.

    Ids may be written as they are; only a `%` or `#VARIANT#` inside one has to be percent-encoded.

    Raises:
        CommandError: it is not `KIND#id`, or its kind is unknown.
    """
    try:
        return scope_of(text)
    except ValueError as err:
        raise CommandError(str(err), "write it like TYPE#edit", ExitCode.USAGE) from err


def parse_version(text: str) -> Version | None:
    """Return the version that `--version` names; None for `all`.

    Raises:
        CommandError: it is neither `live` nor a replay's.
    """
    if text not in {"all", LIVE} and not text.isdecimal():
        raise CommandError(
            f"--version {text!r} is no version",
            "write live, all, or a replay's start in epoch seconds",
            ExitCode.USAGE,
        )
    return None if text == "all" else Version(text)


def parse_instant(text: str, option: str) -> datetime:
    """Return the instant in `2015-09-12`, `2015-09-12T13` or RFC 3339; without offset it is UTC.

    Raises:
        CommandError: it is none of them.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError as err:
        raise CommandError(
            f"{option} {text!r} is no time", "write 2015-09-12 or 2015-09-12T13", ExitCode.USAGE
        ) from err
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


class AggregateTable:
    """The aggregates table of one environment."""

    def __init__(self, environment: Environment) -> None:
        client = environment.clients.dynamodb()
        self._reader = AggregatesReader(client, environment.outputs.tables.aggregates)

    def scopes(self) -> list[Scope]:
        """Return every scope that has rows, sorted.

        Raises:
            CommandError: the table cannot be read.
        """
        with explained("read the aggregates"):
            return sorted(self._reader.scopes())

    def rows(self, query: AggregateQuery) -> Iterator[AggregateRow]:
        """Yield the rows in order of time, then version, then metric.

        Raises:
            CommandError: the table cannot be read.
        """
        with explained("read the aggregates"):
            yield from self._reader.query(
                query.scope,
                query.window,
                metric=query.metric,
                start=query.start,
                end=query.end,
                version=query.version,
            )


COLUMNS = (
    "scope", "metric_name", "window", "value", "window_start", "window_end", "version",
    "event_count", "input_hash", "sample_event_ids", "defs_version", "updated_at",
)  # fmt: skip


def write_csv(rows: Iterable[AggregateRow], file: TextIO) -> None:
    """Write rows as CSV with a header, numbers with every digit, the sample ids as a JSON list."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        fields = row_fields(row)
        samples = orjson.dumps(fields["sample_event_ids"]).decode()
        fields["sample_event_ids"] = samples
        writer.writerow(fields[column] for column in COLUMNS)
