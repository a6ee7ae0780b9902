"""What the answers hold: models that describe them, of which the OpenAPI document is made.

The answers themselves are written by `millrace.investigate`, for the command as for this API; tests
hold each of them against its model, which allows no field more and none less.
"""

from investigate.answers.aggregates import AggregatesAnswer
from investigate.answers.biography import BiographyAnswer
from investigate.answers.duplicates import DuplicatesAnswer
from investigate.answers.events import EntityEventsAnswer
from investigate.answers.gaps import GapsAnswer
from investigate.answers.lag import LagAnswer
from investigate.answers.late import LateAnswer
from investigate.answers.sources import SourcesAnswer
from investigate.answers.status import StatusAnswer

__all__ = [
    "AggregatesAnswer",
    "BiographyAnswer",
    "DuplicatesAnswer",
    "EntityEventsAnswer",
    "GapsAnswer",
    "LagAnswer",
    "LateAnswer",
    "SourcesAnswer",
    "StatusAnswer",
]
