"""Exporting by hand: which hours, until each is done, and what is reported."""

from datetime import UTC, datetime

import pytest

from millrace_cli.errors import CommandError
from millrace_cli.export import export_hours, hours_asked

AT = datetime(2015, 9, 12, 22, 30, tzinfo=UTC)
NOTHING = {"done": True, "hours": [], "failed": [], "hours_left": 0}


class FakeFunction:
    """Answers what it was told, in order; keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    def export(self, hour, client_id):
        self.asked.append((hour, client_id))
        return self.answers.pop(0) if self.answers else NOTHING


def answer(hour, files, *, left=0, status="complete"):
    done = {
        "hour": hour,
        "status": status,
        "clients": 5,
        "files_written": files,
        "manifests_written": 1,
        "clients_left": left,
        "events": 10 * files,
    }
    return NOTHING | {"done": not left, "hours": [done]}


def test_hours_are_an_hour_a_day_or_a_range():
    """A range begins in the hour of --from and holds every hour that starts before --to."""
    assert hours_asked("2015-09-12T13", None, None) == ["2015-09-12T13"]
    assert len(hours_asked("2015-09-12", None, None)) == 24
    until = datetime(2015, 9, 13, 0, 1, tzinfo=UTC)
    assert hours_asked(None, AT, until) == ["2015-09-12T22", "2015-09-12T23", "2015-09-13T00"]
    assert hours_asked(None, AT, until.replace(minute=0)) == ["2015-09-12T22", "2015-09-12T23"]


@pytest.mark.parametrize(
    ("when", "start", "end"), [(None, None, None), (None, AT, None), ("2015-09-12", AT, AT)]
)
def test_hours_must_be_said_in_one_way(when, start, end):
    """Neither, both or half a range is refused with what to write."""
    with pytest.raises(CommandError, match="one hour or date, or --from and --to"):
        hours_asked(when, start, end)


def test_an_hour_is_asked_for_until_it_is_done():
    """Where one invocation's time does not suffice, the next goes on; the figures add up."""
    function = FakeFunction(answer("h1", 2, left=3), answer("h1", 3), answer("h2", 1))
    seen = []
    report = export_hours(
        function, ["h1", "h2"], "acme", [lambda done, hour: seen.append((done, hour.files_written))]
    )
    assert function.asked == [("h1", "acme"), ("h1", "acme"), ("h2", "acme")]
    assert [(hour.files_written, hour.invocations) for hour in report.hours] == [(5, 2), (1, 1)]
    assert seen == [(0, 2), (1, 5), (2, 1)]
    assert report.as_dict()["events"] == 60


def test_an_hour_that_fails_stops_no_other():
    """Its error is kept; the rest is exported, and the report says that one failed."""
    torn = NOTHING | {"failed": [{"hour": "h1", "error": "torn"}]}
    report = export_hours(FakeFunction(torn, answer("h2", 1)), ["h1", "h2"], None)
    assert [hour.error for hour in report.hours] == ["torn", None]
    assert report.as_dict()["failed"] == 1
