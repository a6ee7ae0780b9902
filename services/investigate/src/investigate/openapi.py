"""The OpenAPI 3.1 document of investigating, made of the models: `python -m investigate.openapi`.

Checked in as docs/openapi/investigate.json; a test fails when the two differ.
"""

import sys
from typing import Any

from pydantic import BaseModel

from investigate import answers, requests
from investigate.domain.refusals import RefusalKind
from investigate.problems import PROBLEMS
from millrace.openapi import (
    ALWAYS,
    answer,
    document_of,
    not_found,
    path_id,
    problem,
    query_parameters,
    rendered,
    schemas_of,
)
from millrace.problems import Problem

VERSION = "1.0.0"
_DESCRIPTION = f"""\
What happened to an event, an entity or a source: the questions of `millrace event`, `events`,
`gaps`, `lag`, `duplicates`, `late`, `sources` and `aggregates`, with the answers of the commands.

**Every answer is bounded** by `max_pages` and by the request's time. What ended early says so
(`ended_by`) and hands out a `cursor`: the same question with it is answered for the rest, and
answers that follow each other never overlap. A cursor is good for its own question alone.

**Times** have no offset or one; without it they are UTC. `from` is included, `to` is not, and they
are {requests.LONGEST_PERIOD.days:,} days apart at most. In a query `+` means a space: write `%2B`.

**Ids in paths** are percent-encoded (`#` as `%23`, `/` as `%2F`, `%` as `%25`). The gateway cuts a
path at an encoded question mark and routes none with a line end: such an id, and any that begins
with `~`, is spelled as `~` and the base64url of its UTF-8 bytes.

**It reads, and changes nothing.** What it took to read is in `read`.
"""
_ROUTES: dict[str, tuple[str, str, type[BaseModel], type[BaseModel]]] = {
    "/events/{id}": (
        "getEvent", "Tell an event's life", requests.EventQuery, answers.BiographyAnswer,
    ),
    "/entities/{id}/events": (
        "listEntityEvents", "List an entity's events in order of event time",
        requests.EntityEventsQuery, answers.EntityEventsAnswer,
    ),
    "/entities/{id}/gaps": (
        "findGaps", "Show when an entity was silent against its own rhythm",
        requests.GapsQuery, answers.GapsAnswer,
    ),
    "/lag": (
        "getLag", "Show how late events arrive, and how long each stage takes",
        requests.LagQuery, answers.LagAnswer,
    ),
    "/duplicates": (
        "findDuplicates", "Show which events arrived again",
        requests.ListedQuery, answers.DuplicatesAnswer,
    ),
    "/late": (
        "findLate", "Show which events arrived late, and which closed windows they changed",
        requests.ListedQuery, answers.LateAnswer,
    ),
    "/sources": (
        "rankSources", "Rank the sources by the share of their records that is a problem",
        requests.ArrivalQuery, answers.SourcesAnswer,
    ),
    "/aggregates": (
        "listAggregates", "List the aggregates of a scope",
        requests.AggregatesQuery, answers.AggregatesAnswer,
    ),
    "/status": (
        "getStatus", "Say what is wrong now, and what is unfinished",
        requests.StatusQuery, answers.StatusAnswer,
    ),
}  # fmt: skip


def document() -> dict[str, Any]:
    """Return the document."""
    return document_of(
        title="investigate",
        version=VERSION,
        description=_DESCRIPTION,
        paths={path: _path(path) for path in _ROUTES},
        schemas=_schemas(),
    )


_ID = path_id("id", "The id as events say it, percent-encoded.")


def _path(path: str) -> dict[str, Any]:
    operation, summary, query, answered = _ROUTES[path]
    titles = [PROBLEMS.refusals[kind][1] for kind in RefusalKind if _status(kind) == 400]
    get = {
        "operationId": operation,
        "summary": summary,
        "parameters": query_parameters(query),
        "responses": {
            "200": answer("The answer.", answered),
            "400": problem(f"{', or '.join(titles)}; `errors` names each parameter."),
            "404": not_found(PROBLEMS.refusals[RefusalKind.NOT_FOUND][1] + "."),
            **ALWAYS,
            "500": problem("The deployment is faulty, or its tables disagree."),
        },
    }
    return {"get": get, "parameters": [_ID]} if "{id}" in path else {"get": get}


def _status(kind: RefusalKind) -> int:
    return PROBLEMS.refusals[kind][0]


def _schemas() -> dict[str, Any]:
    return schemas_of(read=(), written=[Problem, *(each for *_, each in _ROUTES.values())])


if __name__ == "__main__":
    sys.stdout.write(rendered(document()))
