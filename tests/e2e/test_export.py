"""The hourly export on the deployed pipeline: by the command, late events, IAM enforced."""

import json
from collections import Counter

import orjson
import pytest

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

HOUR = "2024-05-06T07"
CLIENTS = ["acme", "#shop/eu", "third"]


def events_file(folder, name, numbers, clients):
    file = folder / f"{name}.ndjson"
    rows = [
        {
            "event_id": f"export-{number}",
            "event_type": "export-test",
            "entity_id": f"user-{number}",
            "event_time": f"{HOUR}:{number % 60:02}:00Z",
            "source": "export-test",
            "client_id": clients[number % len(clients)],
        }
        for number in numbers
    ]
    file.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return file


def sent(pipeline, file, count):
    before = pipeline.put(file)
    pipeline.settled(before["received"] + count)


def files_of(pipeline):
    s3, bucket = pipeline.deployed.client("s3"), pipeline.outputs["data_bucket"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="clients/")
    return {
        each["Key"]: each["ETag"]
        for page in pages
        for each in page.get("Contents", [])
        if "2024-05-06-07" in each["Key"]
    }


def body_of(pipeline, key):
    s3, bucket = pipeline.deployed.client("s3"), pipeline.outputs["data_bucket"]
    return s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def test_an_hour_is_exported_and_late_events_touch_their_clients(pipeline, tmp_path):
    """Each event is in one file, complete; late events change the touched client's files alone."""
    sent(pipeline, events_file(tmp_path, "first", range(600), CLIENTS), 600)
    # At five past, the schedule may have been here first: what counts is what lies there.
    report = json.loads(pipeline.millrace("export", HOUR, "--json"))
    assert (report["failed"], report["hours"][0]["status"]) == (0, "complete")
    files = files_of(pipeline)
    data = [key for key in files if not key.endswith("manifest.json")]
    assert sorted(data) == [
        f"clients/{folder}/events-2024-05-06-07.json"
        for folder in ("%23shop%2Feu", "acme", "third")
    ]
    ids = Counter(
        json.loads(line)["event_id"] for key in data for line in body_of(pipeline, key).splitlines()
    )
    assert ids == Counter(f"export-{number}" for number in range(600))
    manifest = json.loads(body_of(pipeline, "clients/acme/events-2024-05-06-07.manifest.json"))
    assert (manifest["events"], manifest["status"]) == (200, "complete")

    again = json.loads(pipeline.millrace("export", HOUR, "--json"))
    assert (again["files_written"], files_of(pipeline)) == (0, files)

    sent(pipeline, events_file(tmp_path, "late", range(600, 610), ["acme"]), 10)
    late = json.loads(pipeline.millrace("export", HOUR, "--json"))
    assert late["failed"] == 0
    assert len(body_of(pipeline, "clients/acme/events-2024-05-06-07.json").splitlines()) == 210
    changed = {key for key, etag in files_of(pipeline).items() if files.get(key) != etag}
    assert changed == {
        "clients/acme/events-2024-05-06-07.json",
        "clients/acme/events-2024-05-06-07.manifest.json",
    }


def test_the_schedule_exports_what_changed(pipeline, tmp_path):
    """The function, invoked as EventBridge does, exports hours that nobody asked for."""
    numbers = range(1000, 1006)
    file = events_file(tmp_path, "missed", numbers, ["missed"])
    file.write_text(file.read_text().replace(HOUR, "2024-05-06T03"))
    sent(pipeline, file, len(numbers))
    scheduled = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    answer = pipeline.deployed.client("lambda").invoke(
        FunctionName=pipeline.outputs["functions"]["export"], Payload=json.dumps(scheduled)
    )
    report = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, report
    assert (report["failed"], report["done"]) == ([], True)
    lines = body_of(pipeline, "clients/missed/events-2024-05-06-03.json").splitlines()
    assert len(lines) == 6
