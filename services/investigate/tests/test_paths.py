"""Ids in paths, as the gateway hands them on."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import quote, unquote

import pytest

from investigate.domain.paths import EntityView, entity_path, id_of, spelled
from millrace.problems import Refusal

EDITS = Path(__file__).parents[4] / "shared/data/wikiticker-2015-09-12-sampled.json.gz"
ODD = [
    "#en.wikipedia",
    "AC/DC",
    "100%",
    "100%25",
    "a?b",
    "~",
    "~x",
    "ü/ß",
    "a\nb",
    "%2F",
    "a/events",
]


@pytest.mark.parametrize("value", ODD)
def test_every_id_can_be_spelled(value):
    """As base64url it comes back, whatever it holds, and no path gives a sign of it a meaning."""
    text = spelled(value)
    assert id_of(text, 256) == value
    assert not set(text) & set("/%?#+ ")


@pytest.mark.parametrize("value", [each for each in ODD if not each.startswith("~")])
def test_what_the_gateway_leaves_encoded_is_decoded(value):
    """The percent sign alone; so an id that looks encoded stays what it is."""
    assert id_of(value.replace("%", "%25"), 256) == value


@pytest.mark.skipif(not EDITS.exists(), reason="../shared/data is not beside this checkout")
def test_real_ids_come_through():
    """Names in the edits of Wikipedia: percent-encoded, then decoded as the gateway does."""
    with gzip.open(EDITS, "rt", encoding="utf-8") as lines:
        edits = [json.loads(line) for line in lines]
    names = {edit[field] for edit in edits for field in ("page", "channel")}
    odd = {name for name in names if set(name) & set("/%#?+ ~")}
    assert {sign for name in odd for sign in name} >= set("/#?+ ~")
    for name in odd:
        handed_on = re.sub(r"(?:%(?!25)..)+", lambda run: unquote(run[0]), quote(name, safe=""))
        cut = "?" in name or name.startswith("~")
        part = spelled(name) if cut else handed_on
        assert entity_path(f"{part}/events") == (name, EntityView.EVENTS)


def test_the_last_part_of_an_entitys_path_is_the_view():
    """Whatever slashes the id holds."""
    assert entity_path("a/b/events") == ("a/b", EntityView.EVENTS)
    assert entity_path("events/gaps") == ("events", EntityView.GAPS)


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("user_1", "not-found"), ("user_1/other", "not-found"), ("/events", "invalid"),
        ("~***/events", "invalid"), ("~_w/events", "invalid"), ("a" * 257 + "/gaps", "invalid"),
        ("\ud800/events", "invalid"),
    ],
)  # fmt: skip
def test_a_path_that_names_nothing_is_refused(path, kind):
    """No route, or no id."""
    with pytest.raises(Refusal) as refused:
        entity_path(path)
    assert refused.value.kind == kind
