"""Runs the handlers of the live path in this process, and prints what they asked of AWS.

Usage: cost_run.py EVENTS BATCH, with the functions' own settings in the environment, but for the
queues: all of them are one that nobody reads, so that each message is handed on by hand.
"""

import json
import os
import sys
import time
from base64 import b64encode
from collections import Counter
from importlib import import_module
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3

from millrace.times import to_epoch_ms
from millrace_testing.builders import ARRIVAL, event_bytes
from millrace_testing.lambda_context import lambda_context
from millrace_testing.wire_cost import WireCost

_FIRST_SEQ = 49_581_544_954_143_914_480_256_700_934_210_366_840_104_395_343_224_897_586
_STEP = 4_835_703_278_458_516_698_824_704
_EVENT_BYTES = 400


def _event(number: int, source: str) -> bytes:
    """An event of 400 bytes, of one of a hundred entities."""
    fields: dict[str, Any] = {"source": source, "entity_id": f"user_{number % 100:02}"}
    bare = event_bytes(number, **fields, payload={"fill": ""})
    return event_bytes(number, **fields, payload={"fill": "x" * (_EVENT_BYTES - len(bare))})


def _kinesis(first: int, datas: list[bytes]) -> dict[str, Any]:
    arrival_s = to_epoch_ms(ARRIVAL) / 1000
    return {
        "Records": [
            {
                "eventID": f"shardId-000000000000:{_FIRST_SEQ + (first + n) * _STEP}",
                "kinesis": {
                    "sequenceNumber": str(_FIRST_SEQ + (first + n) * _STEP),
                    "approximateArrivalTimestamp": arrival_s,
                    "data": b64encode(data).decode(),
                },
            }
            for n, data in enumerate(datas)
        ]
    }


class _Run:
    """Calls handlers, and keeps how often, how long, and what they sent."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self._queue = os.environ["ENRICH_QUEUE_URL"]
        session = boto3.session.Session()
        self._sqs = session.client("sqs")

    def call(self, service: str, event: dict[str, Any]) -> list[str]:
        """Call a handler and return the messages that it sent."""
        handler = import_module(f"{service}.handler").handler
        started = time.perf_counter()
        answer = handler(event, lambda_context())
        self.seconds[service] += time.perf_counter() - started
        self.calls[service] += 1
        if answer["batchItemFailures"]:
            raise SystemExit(f"{service}: {answer}")
        return self._sent()

    def _sent(self) -> list[str]:
        bodies = []
        while True:
            answer = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
            if not (messages := answer.get("Messages", [])):
                return bodies
            for message in messages:
                bodies.append(message["Body"])
                self._sqs.delete_message(
                    QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"]
                )


def _sqs(body: str) -> dict[str, Any]:
    return {"Records": [{"messageId": uuid4().hex, "body": body, "eventSource": "aws:sqs"}]}


def main(events: int, batch: int) -> None:
    """Take so many events through the live path, and print the counts as JSON."""
    boto3.setup_default_session()
    cost = WireCost()
    cost.attach(SimpleNamespace(meta=SimpleNamespace(events=boto3.DEFAULT_SESSION.events)))
    run, source = _Run(), f"cost_{uuid4().hex[:8]}"
    datas = [_event(number, source) for number in range(10_000, 10_000 + events)]
    for first in range(0, events, batch):
        for reference in run.call("ingest", _kinesis(first, datas[first : first + batch])):
            onward = run.call("enrich", _sqs(reference))[:1]  # both queues get the same message
            for each in onward:
                run.call("aggregate", _sqs(each))
                run.call("archive", _sqs(each))
    counted = {
        "requests": cost.requests,
        "write_units": cost.write_units,
        "read_units": cost.read_units,
        "calls": run.calls,
        "seconds": run.seconds,
    }
    sys.stdout.write("\n" + json.dumps(counted) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
