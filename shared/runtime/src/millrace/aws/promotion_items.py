"""The items that promoting a row reads and writes: the row, its shards, and the record of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from millrace.aggregates import LIVE, AggregateKey, Version
from millrace.aws.aggregates import (
    PROMOTED_VERSION,
    added,
    number,
    row_key,
    row_sort_key,
    scope_key,
    scope_of,
    stored_bounds,
)
from millrace.aws.ledger_items import from_attributes, to_attributes
from millrace.replay.promotion import Choice, Content, Operator, Promotion
from millrace.replay.record import Replay
from millrace.times import format_ms, parse_rfc3339
from millrace.windows import Window, WindowWidth

if TYPE_CHECKING:
    from millrace.aws.ledger_items import Item

PROMOTED_PREFIX = "PROMOTED#"
_VALUE = {"#value": "value"}  # a reserved word


@dataclass(frozen=True, slots=True)
class StoredRow:
    """The items of one row: itself, and its shards if its scope is or was hot."""

    items: "tuple[Item, ...]"

    @property
    def content(self) -> Content:
        """What they say together."""
        return reduce(_together, map(_content_of, self.items), Content())

    @property
    def promoted_version(self) -> str | None:
        """The version of the replay that the row has taken last."""
        return next(
            (each[PROMOTED_VERSION]["S"] for each in self.items if PROMOTED_VERSION in each), None
        )

    def sharded(self, key: AggregateKey) -> bool:
        """Tell whether some of the row is in shards."""
        return any(each["SK"]["S"] != row_sort_key(key) for each in self.items)


def under(key: AggregateKey, version: Version) -> AggregateKey:
    """Return the same row under another version."""
    return AggregateKey(key.scope, key.window, key.metric, version)


def _content_of(item: "Item") -> Content:
    row = from_attributes(item)
    return Content(number(row["value"]), int(row["event_count"]), int(row["input_hash"]))


def _together(one: Content, other: Content) -> Content:
    return Content(
        added(one.value, other.value),
        one.event_count + other.event_count,
        one.input_hash + other.input_hash,
    )


def live_item(choice: Choice, taken: StoredRow, replay: Replay, by: Operator) -> "Item":
    """Return the live row that says what the replay says."""
    key, content = choice.key, choice.after
    start, end = stored_bounds(key.window)
    rows = [from_attributes(item) for item in taken.items]
    definitions = {name for row in rows for name in row["defs_versions"]}
    fields = {
        "metric_name": key.metric,
        "window_start": start,
        "window_end": end,
        "version": LIVE,
        "value": content.value,
        "event_count": content.event_count,
        "input_hash": content.input_hash,
        "sample_event_ids": list(_samples(choice)),
        "defs_versions": definitions or {replay.defs_version},
        "updated_at": format_ms(by.at),
        PROMOTED_VERSION: replay.version,
    }
    return row_key(key) | to_attributes(fields)


def _samples(choice: Choice) -> Sequence[str]:
    replayed = choice.comparison.replayed
    return replayed.sample_event_ids if replayed else ()


def unchanged(item: "Item | None") -> "tuple[str, dict[str, str], Item]":
    """Return the condition that an item is as it was read, with its names and values."""
    if item is None:
        return "attribute_not_exists(PK)", {}, {}
    values = {
        ":value": item["value"],
        ":events": item["event_count"],
        ":hash": item["input_hash"],
    }
    promoted = f"attribute_not_exists({PROMOTED_VERSION})"
    if PROMOTED_VERSION in item:
        promoted = f"{PROMOTED_VERSION} = :promoted"
        values[":promoted"] = item[PROMOTED_VERSION]
    same = "#value = :value AND event_count = :events AND input_hash = :hash"
    return f"{same} AND {promoted}", _VALUE, values


def record_key(replay: Replay, promotion_id: str) -> "Item":
    """Return the key of a promotion's record."""
    return to_attributes(
        {"PK": f"REPLAY#{replay.replay_id}", "SK": f"{PROMOTED_PREFIX}{promotion_id}"}
    )


def row_digest(key: AggregateKey) -> str:
    """Return what stands for a row in the keys of its records."""
    text = f"{scope_key(key.scope)}\n{row_sort_key(key)}"
    return blake2b(text.encode(), digest_size=16, person=b"millrace-promote").hexdigest()


def operator_fields(prefix: str, by: Operator) -> dict[str, str]:
    """Return who did it, when and why, as a record holds them."""
    return {
        f"{prefix}_at": format_ms(by.at),
        f"{prefix}_by": by.who,
        f"{prefix}_because": by.reason,
    }


def _operator_of(row: Mapping[str, Any], prefix: str) -> Operator | None:
    if f"{prefix}_at" not in row:
        return None
    at = parse_rfc3339(row[f"{prefix}_at"])
    return Operator(row[f"{prefix}_by"], row[f"{prefix}_because"], at)


def listed(content: Content) -> list[int | Decimal]:
    """Return a content as a record holds it."""
    return [content.value, content.event_count, content.input_hash]


def promotion_of(row: Mapping[str, Any]) -> Promotion:
    """Return the promotion that a record is of."""
    window = Window(parse_rfc3339(row["window_start"]), WindowWidth(row["width"]))
    contents = [
        Content(number(value), int(events), int(hashed))
        for value, events, hashed in (row["before_content"], row["after_content"])
    ]
    by = _operator_of(row, "promoted")
    if by is None:
        raise ValueError(f"{row['SK']} is no promotion: it says nothing of who made it")
    return Promotion(
        row["SK"].removeprefix(PROMOTED_PREFIX),
        AggregateKey(scope_of(row["scope"]), window, row["metric_name"], LIVE),
        contents[0],
        contents[1],
        by,
        _operator_of(row, "undone"),
    )
