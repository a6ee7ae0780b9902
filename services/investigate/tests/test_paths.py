"""Ids in paths, as the gateway hands them on."""

import pytest

from investigate.domain.paths import EntityView, entity_path, id_of, spelled
from millrace.problems import Refusal

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
