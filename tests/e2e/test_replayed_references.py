"""What enrich makes of replayed events, through the deployed aggregate: IAM enforced."""

import json

import pytest

from millrace.aggregates import Version
from millrace.aws.replays import DynamoReplays
from millrace.definitions import version_of
from millrace.keys import definitions_key, replay_enriched_key
from millrace.raw_lines import pack
from millrace.replay.progress import ProcessedObject, Progress, place_hash, progress_of
from millrace.replay.reference import ReplayReference
from millrace_testing.builders import enriched_event
from millrace_testing.metrics import metric
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

HOW = {"dimensions": ("payload.page.country",), "windows": ("day",)}
DEFINITIONS = metric("replayed_events", **HOW, mode="replay") + metric(
    "replayed_users", "unique", **HOW, of="entity"
)
VERSION = Version("1766914200")
SCOPE = "PAYLOAD#page.country#VALUE#de/at"


def test_replayed_events_count_once_under_their_version(pipeline):
    """Two objects that share events, each message twice: one row, nothing under `live`."""
    definitions = version_of(DEFINITIONS)
    events = [
        enriched_event(n, payload={"page": {"country": "de/at"}}, defs_version=definitions)
        for n in range(12)
    ]
    objects = {definitions_key(definitions): DEFINITIONS}
    replays = DynamoReplays(
        pipeline.deployed.client("dynamodb"), pipeline.outputs["tables"]["replays"]
    )
    bodies = []
    for name, some in (("a", events[:8]), ("b", events[4:])):
        key = replay_enriched_key("e2e", name)
        objects[key] = pack([each.to_line() for each in some]).body
        places = frozenset(place_hash(each.event_id) for each in some)
        replays.list_object("e2e", ProcessedObject(name, key, places, counted=False))
        bodies.append(ReplayReference("e2e", VERSION, name, key, definitions, "e2e").to_json())
    s3, sqs = pipeline.deployed.client("s3"), pipeline.deployed.client("sqs")
    for key, body in objects.items():
        s3.put_object(Bucket=pipeline.outputs["data_bucket"], Key=key, Body=body)
    for body in bodies * 2:
        sqs.send_message(QueueUrl=pipeline.outputs["queue_urls"]["aggregate"], MessageBody=body)

    def rows(version):
        options = ("--scope", SCOPE, "--window", "day", "--version", version, "--json")
        found = json.loads(pipeline.millrace("aggregates", *options))
        return {row["metric_name"]: (row["value"], row["event_count"]) for row in found}

    expected = {"replayed_events": (12, 12), "replayed_users": (7, 12)}
    wait_until(lambda: rows(VERSION) == expected, 60, 0.5)
    wait_until(lambda: all_delivered(pipeline), 60, 0.5)
    assert rows(VERSION) == expected
    assert rows("live") == {}
    assert progress_of(replays.objects("e2e"), ()) == Progress(enriched=12, counted=12, skipped=0)


def all_delivered(pipeline):
    queues = pipeline.status()["queues"].values()
    return not any(queue["visible"] + queue["in_flight"] for queue in queues)
