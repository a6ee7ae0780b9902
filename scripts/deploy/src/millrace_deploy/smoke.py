"""The smoke test after a deployment: ten events, followed until every stage is done with them."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

import orjson
from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_fixed

from millrace.aws.events import EventReader
from millrace.aws.ledger import DynamoLedger
from millrace.aws.objects import S3Objects
from millrace.commit import ShardKey
from millrace.times import format_ms
from millrace_cli.aws import explained
from millrace_cli.environment import Environment
from millrace_cli.errors import CommandError
from millrace_cli.kinesis import KinesisStream
from millrace_cli.records import OutRecord, partition_key
from millrace_cli.sending import Progress, send
from millrace_deploy.errors import DeployError

EVENTS = 10
SOURCE = "millrace_smoke"
DEADLINE_S = 300.0
"""A new mapping takes up to a few minutes on AWS before it reads its stream:
https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html"""
_POLL_S = 1.0


class Place(StrEnum):
    """How far an event has come."""

    SENT = "sent, not yet seen by ingest"
    PASSED = "through the gate, not yet committed"
    COMMITTED = "stored, not yet enriched, counted and archived"
    FINISHED = "done"


@dataclass(frozen=True, slots=True)
class Smoke:
    """Ten events of one smoke test: their own ids, so that no earlier ones make them duplicates."""

    run: str
    at: datetime

    @classmethod
    def now(cls) -> "Smoke":
        """Return a smoke test that no other is like."""
        return cls(uuid4().hex, datetime.now(UTC))

    @property
    def event_ids(self) -> tuple[str, ...]:
        """The ids, in the order of the events."""
        return tuple(f"{self.run}-{number}" for number in range(EVENTS))

    def records(self) -> Sequence[OutRecord]:
        """Return the events as records, of as many entities: more shards than one are reached."""
        return [_record(event_id, self.at) for event_id in self.event_ids]


def _record(event_id: str, at: datetime) -> OutRecord:
    event = {
        "event_type": "smoke_test",
        "entity_id": f"smoke_{event_id}",
        "event_time": format_ms(at),
        "event_id": event_id,
        "source": SOURCE,
    }
    body = orjson.dumps(event)
    return OutRecord(body, partition_key(event["entity_id"], body), event["event_type"])


class Follower:
    """Looks where single events are: gate, commit, and the marks of the stages on it."""

    def __init__(self, environment: Environment) -> None:
        outputs, dynamodb = environment.outputs, environment.clients.dynamodb()
        self._ledger = DynamoLedger(dynamodb, outputs.tables.commits)
        objects = S3Objects(environment.clients.s3(), outputs.data_bucket)
        self._events = EventReader(dynamodb, outputs.tables.gate, self._ledger, objects)

    def place(self, event_id: str) -> Place:
        """Return how far an event has come.

        Raises:
            CommandError: a table cannot be read.
        """
        with explained("follow the smoke test's events"):
            owner = self._events.owner_of(SOURCE, event_id)
            if owner is None:
                return Place.SENT
            head = self._ledger.covering(ShardKey.parse(owner.shard), owner.seq)
        if head is None:
            return Place.PASSED
        return Place.FINISHED if head.finished else Place.COMMITTED


def run_smoke(environment: Environment, deadline_s: float = DEADLINE_S) -> None:
    """Send the events and wait until all of them have come to their end.

    Only these ten are looked at, so it makes no difference how busy the pipeline is.

    Raises:
        DeployError: they cannot be sent or followed, or are not done in time; says where they are.
    """
    smoke, follower = Smoke.now(), Follower(environment)
    stream = KinesisStream(environment.clients.kinesis(), environment.outputs.stream_arn)
    try:
        send(smoke.records(), stream, Progress())
        follow(smoke.event_ids, follower.place, deadline_s)
    except CommandError as err:
        raise DeployError(f"the smoke test failed: {err}") from err


def follow(
    event_ids: Sequence[str],
    place: Callable[[str], Place],
    deadline_s: float,
    poll_s: float = _POLL_S,
) -> None:
    """Wait until every event is done.

    Raises:
        DeployError: the time is up; says how many events are where.
    """
    places: Mapping[str, Place] = {}

    def waiting() -> bool:
        nonlocal places
        done = {each for each, where in places.items() if where is Place.FINISHED}
        places = {each: Place.FINISHED if each in done else place(each) for each in event_ids}
        return any(where is not Place.FINISHED for where in places.values())

    stop, wait = stop_after_delay(deadline_s), wait_fixed(poll_s)
    try:
        Retrying(retry=retry_if_result(bool), stop=stop, wait=wait)(waiting)
    except RetryError as err:
        counts = Counter(places.values())
        seen = "; ".join(f"{counts[where]} {where}" for where in Place if counts[where])
        raise DeployError(
            f"the smoke test's events are not accounted for after {deadline_s:.0f} s: {seen}",
            "see `millrace status` and the functions' logs; the deployment itself is applied",
        ) from err
