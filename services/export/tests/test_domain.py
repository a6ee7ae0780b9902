"""Plain values through export's domain: sources, passes, forms, completeness, requests."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from export.domain.completeness import PipelineProgress
from export.domain.files import Status
from export.domain.form import FileCompression, FileFormat, Form, manifest_name
from export.domain.sources import ArchivedObject, HourIndex, objects_of, passes
from export.request import BadRequest, Request, parse_request
from millrace.commit import EventSpan

HOUR = datetime(2025, 12, 28, 9, tzinfo=UTC)
GRACE = timedelta(minutes=4)
SETTLED = HOUR + timedelta(hours=1) + GRACE

shares = st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 1000), min_size=1)


def index_of(objects) -> HourIndex:
    index = HourIndex()
    for number, clients in enumerate(objects):
        events = sum(clients.values())
        index.add(ArchivedObject(f"archive/{number:04}", events, events * 50, 0, clients))
    return index


@given(st.lists(shares, max_size=8))
def test_each_clients_sources_are_its_own(objects):
    """Per client the events of all its objects add up, in order of the keys."""
    for client in index_of(objects).clients():
        own = [each[client.client_id] for each in objects if client.client_id in each]
        sources = list(client.sources())
        assert [source.events for source in sources] == own
        assert [source.key for source in sources] == sorted(source.key for source in sources)
        assert (client.events, client.size_bytes) == (sum(own), sum(own) * 50)


@given(st.lists(shares, min_size=1, max_size=8), shares)
def test_a_digest_changes_with_the_sources_alone(objects, late):
    """One object more changes the digests of the clients in it, and of nobody else."""
    before = {each.client_id: each.digest for each in index_of(objects).clients()}
    after = {each.client_id: each.digest for each in index_of([*objects, late]).clients()}
    changed = {client for client in after if before.get(client) != after[client]}
    assert changed == set(late)


@given(st.lists(shares, max_size=8), st.integers(1, 200_000))
def test_passes_hold_every_client_once(objects, spill_bytes):
    """Each client is in one pass; only a client alone may be larger than the spill."""
    clients = index_of(objects).clients()
    groups = passes(clients, spill_bytes)
    assert [each.client_id for group in groups for each in group] == [
        each.client_id for each in clients
    ]
    for group in groups:
        assert len(group) == 1 or sum(each.size_bytes for each in group) <= spill_bytes


def test_a_pass_reads_the_objects_of_its_clients():
    """An object that holds nobody of the pass is not read; a shared one is read once."""
    first, second, third = index_of([{"a": 1, "b": 1}, {"b": 2}, {"c": 1}]).clients()
    assert [each.key for each in objects_of([first, second])] == ["archive/0000", "archive/0001"]
    assert [each.key for each in objects_of([third])] == ["archive/0002"]


def test_an_object_must_say_its_clients():
    """An object whose row lists no clients is refused by name."""
    with pytest.raises(ValueError, match="archive/x"):
        HourIndex().add(ArchivedObject("archive/x", 1, 1, 0, None))


lines = st.lists(
    st.dictionaries(st.text(max_size=5), st.text(max_size=20)).map(
        lambda row: json.dumps(row).encode() + b"\n"
    )
)


@pytest.mark.parametrize("compression", FileCompression)
@pytest.mark.parametrize("file_format", FileFormat)
@given(texts=st.lists(lines.filter(bool).map(b"".join)))
def test_a_form_holds_every_line(file_format, compression, texts):
    """However the lines come in pieces, the file is what its name says, the same each time."""
    form = Form(file_format, compression)
    body = b"".join(form.encoded(texts))
    assert body == b"".join(form.encoded(iter(texts)))
    text = gzip.decompress(body) if compression is FileCompression.GZIP else body
    expected = [json.loads(line) for line in b"".join(texts).splitlines()]
    if file_format is FileFormat.ARRAY:
        assert json.loads(text) == expected
    else:
        assert [json.loads(line) for line in text.splitlines()] == expected


def test_names_say_the_hour():
    """File and manifest lie beside each other; gzip shows at the end."""
    assert Form().name(HOUR) == "events-2025-12-28-09.json"
    gzipped = Form(compression=FileCompression.GZIP)
    assert gzipped.name(HOUR) == "events-2025-12-28-09.json.gz"
    assert manifest_name(HOUR) == "events-2025-12-28-09.manifest.json"


def span(first_min, last_min):
    return EventSpan(HOUR + timedelta(minutes=first_min), HOUR + timedelta(minutes=last_min))


@pytest.mark.parametrize(
    ("seen_at", "waiting_since", "unarchived", "complete"),
    [
        (SETTLED, None, (), True),
        (SETTLED - timedelta(seconds=1), None, (), False),
        (SETTLED, SETTLED, (), True),
        (SETTLED, SETTLED - timedelta(seconds=1), (), False),
        (SETTLED, None, (span(-90, -1), span(60, 70)), True),
        (SETTLED, None, (span(-90, 0),), False),
        (SETTLED, None, (span(59, 61),), False),
        (SETTLED, None, (span(-600, 600),), False),
        (SETTLED, None, (None,), False),
    ],
)
def test_an_hour_is_complete_when_nothing_of_it_is_on_its_way(
    seen_at, waiting_since, unarchived, complete
):
    """Grace over, shards read to its end, and no commit that touches the hour unarchived."""
    progress = PipelineProgress(seen_at, waiting_since, unarchived)
    assert (progress.status(HOUR, GRACE) is Status.COMPLETE) == complete


def test_a_request_names_its_hours():
    """By hand: hours and perhaps a client."""
    asked = parse_request({"hours": ["2025-12-28T09"], "client_id": "acme"})
    assert asked == Request((HOUR,), "acme")
    assert parse_request({"hours": ["2025-12-28T09"], "client_id": None}).client_id is None


@pytest.mark.parametrize(
    ("event", "named"),
    [
        ({}, "hours"),
        ({"hours": []}, "hours"),
        ({"hours": "2025-12-28T09"}, "hours"),
        ({"hours": ["yesterday"]}, "'yesterday' is no hour"),
        ({"hours": ["2025-12-28T25"]}, "is no hour"),
        ({"hours": ["2025-12-28T09"], "client_id": 7}, "client_id"),
    ],
)
def test_a_bad_request_names_its_field(event, named):
    """What cannot be done is refused with the field and an example."""
    with pytest.raises(BadRequest, match=named):
        parse_request(event)
