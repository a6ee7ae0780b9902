"""Metric definitions: what a file may say, and how a fault is named."""

from hashlib import sha256

import pytest
from pydantic import ValidationError

from millrace.aggregates import Dimension
from millrace.definitions import (
    CountMetric,
    Grouping,
    Mode,
    SumMetric,
    UniqueMetric,
    parse,
    version_of,
)
from millrace.errors import ConfigError
from millrace.windows import WindowWidth

pytestmark = pytest.mark.validation

COUNT = """
[[metric]]
name = "edits"
kind = "count"
dimensions = ["type", "experiment"]
windows = ["hour", "day"]
event_types = ["edit"]
"""
SUM = """
[[metric]]
name = "added"
kind = "sum"
value = "payload.size.added"
dimensions = ["source"]
windows = ["hour"]
"""
UNIQUE = """
[[metric]]
name = "users"
kind = "unique"
of = "entity"
dimensions = ["client"]
windows = ["day"]
mode = "replay"
"""


def fault(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "metrics/mine.toml")
    return str(caught.value)


def test_each_kind_is_read():
    """Count, sum and unique come out typed, in the file's order, with their defaults."""
    definitions = parse((COUNT + SUM + UNIQUE).encode(), "m.toml")
    count, total, unique = definitions.metrics
    assert isinstance(count, CountMetric)
    assert count.dimensions == (Grouping(Dimension.TYPE), Grouping(Dimension.EXPERIMENT))
    assert count.windows == (WindowWidth.HOUR, WindowWidth.DAY)
    assert count.mode is Mode.LIVE
    assert isinstance(total, SumMetric)
    assert total.path == ("size", "added")
    assert isinstance(unique, UniqueMetric)
    assert unique.mode is Mode.REPLAY


def test_a_metric_can_be_counted_by_a_value_of_the_payload():
    """A dimension may be a path into the payload, next to those of the event itself."""
    text = COUNT.replace('"experiment"', '"payload.page.country"')
    (metric,) = parse(text.encode(), "m.toml").metrics
    assert metric.dimensions[1] == Grouping(Dimension.PAYLOAD, ("page", "country"))
    assert [str(each) for each in metric.dimensions] == ["type", "payload.page.country"]


def test_the_version_is_the_hash_of_the_bytes():
    """Any change of the file, a comment too, is another version: 16 hex digits."""
    data = COUNT.encode()
    assert version_of(data) == parse(data, "m.toml").version == sha256(data).hexdigest()[:16]
    assert version_of(data + b"# note\n") != version_of(data)


def test_replay_only_metrics_are_not_live():
    """A metric in mode replay is defined but not computed as events arrive."""
    definitions = parse((COUNT + UNIQUE).encode(), "m.toml")
    assert [metric.name for metric in definitions.live] == ["edits"]


def test_event_types_filter():
    """A metric counts the types it lists, or all if it lists none."""
    edits, added = parse((COUNT + SUM).encode(), "m.toml").metrics
    assert edits.counts("edit")
    assert not edits.counts("view")
    assert added.counts("view")


def test_definitions_do_not_change():
    """Nothing can alter a metric after it was read."""
    metric = parse(COUNT.encode(), "m.toml").metrics[0]
    with pytest.raises(ValidationError):
        metric.name = "other"


@pytest.mark.parametrize(
    ("line", "instead", "named"),
    [
        ('kind = "count"', 'kind = "average"', "metric edits: kind: "),
        ('kind = "count"', "", "metric edits: kind: "),
        ('kind = "count"', 'kind = "sum"', "metric edits: value: "),
        ('kind = "count"', 'kind = "sum"\nvalue = "size"', "metric edits: value: "),
        ('kind = "count"', 'kind = "sum"\nvalue = "payload..x"', "metric edits: value: "),
        ('kind = "count"', 'kind = "unique"', "metric edits: of: "),
        ('kind = "count"', 'kind = "unique"\nof = "client"', "metric edits: of: "),
        ('kind = "count"', 'kind = "count"\nvalue = "payload.x"', "metric edits: value: "),
        ('name = "edits"', "", "metric number 1: name: it is missing: add it"),
        ('name = "edits"', "name = 3", "metric number 1: name: "),
        ('name = "edits"', 'name = "Edits#1"', "metric Edits#1: name: must be 1 to 64 of"),
        ('["type", "experiment"]', '["page"]', "metric edits: dimensions.0: must be one of type,"),
        ('["type", "experiment"]', '["payload"]', "metric edits: dimensions.0: must be one of"),
        ('["type", "experiment"]', '["type", 3]', "metric edits: dimensions.1: must be one of"),
        ('["type", "experiment"]', '["payload..a"]', "metric edits: dimensions.0: must be a path"),
        ('["type", "experiment"]', "[]", "metric edits: dimensions: "),
        ('["type", "experiment"]', '["type", "type"]', "metric edits: dimensions: "),
        ('["hour", "day"]', '["week"]', "metric edits: windows.0: "),
        ('["hour", "day"]', '"hour"', "metric edits: windows: "),
        ('["edit"]', '[""]', "metric edits: event_types.0: "),
        ('["edit"]', '["edit"]\nmode = "never"', "metric edits: mode: "),
        ('["edit"]', '["edit"]\ncolour = "red"', "metric edits: colour: a metric of this kind has"),
    ],
)
def test_a_fault_names_file_metric_and_field(line, instead, named):
    """Whoever wrote the file finds the very line from the message."""
    assert line in COUNT
    message = fault(COUNT.replace(line, instead))
    assert message.startswith("metrics/mine.toml: ")
    assert named in message


def test_all_faulty_fields_are_named_at_once():
    """One run shows every faulty field of a metric."""
    message = fault(COUNT.replace('["hour", "day"]', "[]").replace('["edit"]', "1"))
    assert "windows: " in message
    assert "event_types: " in message


def test_two_metrics_of_one_name_are_refused():
    """They would add to the same rows."""
    assert "metric edits: name: " in fault(COUNT + COUNT)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[[metric]\n", "not TOML"),
        ("", "no metric"),
        ("metric = 3\n", "no metric"),
        ("metric = [1]\n", "metric number 1"),
        (COUNT.replace("[[metric]]", "[[metrics]]"), "`metrics`"),
    ],
)
def test_a_file_without_usable_tables_is_named(text, named):
    """What is wrong with the file as a whole names the file."""
    message = fault(text)
    assert message.startswith("metrics/mine.toml: ")
    assert named in message


def test_bytes_that_are_not_utf8_are_named():
    """A file in another encoding is refused like any other that is not TOML."""
    with pytest.raises(ConfigError, match=r"m\.toml: not TOML"):
        parse(b"\xff\xfe", "m.toml")
