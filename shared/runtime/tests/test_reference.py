"""The claim check on the wire."""

import pytest

from millrace.reference import EnrichedReference, MalformedReference, Reference
from millrace_testing.builders import commit_of, event_bytes

pytestmark = pytest.mark.parsing

COMMIT, _ = commit_of([event_bytes(1)])
REFERENCE = Reference.to(COMMIT.head)


def test_references_are_read_back():
    """What ingest sends is what enrich reads, and what enrich sends what aggregate reads."""
    enriched = EnrichedReference.from_reference(REFERENCE, "enriched/x.ndjson.gz", "0123")
    assert Reference.parse(REFERENCE.to_json()) == REFERENCE
    assert EnrichedReference.parse(enriched.to_json()) == enriched


@pytest.mark.parametrize(
    "body",
    ["", "[]", "{}", '{"v":2}', '{"v":1}', REFERENCE.to_json().replace('"seq":"0', '"seq":"x')],
)
def test_what_is_no_reference_is_said_to_be_none(body):
    """A foreign message is told apart from one that may succeed later."""
    with pytest.raises(MalformedReference):
        Reference.parse(body)


def test_an_enriched_reference_needs_its_object():
    """A plain reference on the aggregate queue is malformed."""
    with pytest.raises(MalformedReference, match="enriched_key"):
        EnrichedReference.parse(REFERENCE.to_json())
