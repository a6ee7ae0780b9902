"""Runs the real handlers of the live path, one after the other, and says what each one took.

A program of its own, as each function is: the settings come from the environment, and nothing is
shared with the tests. Standard input: {"stages": {service: {VARIABLE: value}}, "rounds": [[line,
...], ...], "shard_id": "..."}; the first round is the warm-up. Standard output: one object for
each round, {service: {"cpu_s": ..., "wall_s": ..., "failures": [...], "requests": {operation:
number}, "read_units": ..., "write_units": ..., "log_bytes": ...}}.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from io import TextIOBase
from typing import Any

import boto3
from aws_lambda_powertools.utilities.typing import LambdaContext

from millrace_testing.builders import kinesis_event, sqs_event
from millrace_testing.lambda_context import lambda_context
from millrace_testing.wire_cost import WireCost

Handler = Callable[[Mapping[str, Any], LambdaContext], dict[str, Any]]
QUEUE_OF = {
    "enrich": ("ingest", "ENRICH_QUEUE_URL"),
    "aggregate": ("enrich", "AGGREGATE_QUEUE_URL"),
    "archive": ("enrich", "ARCHIVE_QUEUE_URL"),
}


class Log(TextIOBase):
    """Stands in for standard output while handlers run; says how much they wrote."""

    def __init__(self) -> None:
        self.bytes = 0

    def write(self, text: str) -> int:
        """Count the text and pass it on to standard error."""
        self.bytes += len(text.encode())
        return sys.stderr.write(text)


class LivePath:
    """The four handlers; the queues between them are emptied by hand."""

    def __init__(
        self, stages: Mapping[str, Mapping[str, str]], shard_id: str, log: Log, cost: WireCost
    ) -> None:
        self._stages = stages
        self._shard_id = shard_id
        self._log = log
        self._cost = cost
        self._sqs = boto3.session.Session().client("sqs")  # not counted: SQS mappings do this
        self._handlers: dict[str, Handler] = {}
        self._next_seq = 1

    def round(self, lines: Sequence[bytes]) -> dict[str, dict[str, Any]]:
        """Send the lines through every stage, and return what each took."""
        batch = kinesis_event(lines, self._next_seq)
        self._next_seq += len(lines)
        for record in batch["Records"]:
            record["eventID"] = f"{self._shard_id}:{record['kinesis']['sequenceNumber']}"
            record["kinesis"]["approximateArrivalTimestamp"] = time.time()
        taken = {"ingest": self._timed("ingest", batch)}
        for service in QUEUE_OF:
            taken[service] = self._timed(service, sqs_event(self._received(service)))
        return taken

    def _timed(self, service: str, event: Mapping[str, Any]) -> dict[str, Any]:
        handler, context = self._handler(service), lambda_context()
        counts = (self._cost.requests, self._cost.read_units, self._cost.write_units)
        for count in counts:
            count.clear()
        logged = self._log.bytes
        cpu, wall = time.process_time(), time.perf_counter()
        answer = handler(event, context)
        return {
            "cpu_s": time.process_time() - cpu,
            "wall_s": time.perf_counter() - wall,
            "failures": answer["batchItemFailures"],
            "requests": dict(self._cost.requests),
            "read_units": self._cost.read_units.total(),
            "write_units": self._cost.write_units.total(),
            "log_bytes": self._log.bytes - logged,
        }

    def _handler(self, service: str) -> Handler:
        os.environ.update(self._stages[service])  # read at the handler's first event
        if service not in self._handlers:
            self._handlers[service] = import_module(f"{service}.handler").handler
        return self._handlers[service]

    def _received(self, service: str) -> list[str]:
        sender, variable = QUEUE_OF[service]
        url = self._stages[sender][variable]
        answer = self._sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=5)
        for message in answer["Messages"]:
            self._sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in answer["Messages"]]


def main() -> None:
    """Read what to do, do it, print what it took."""
    work = json.load(sys.stdin)
    result, log, cost = sys.stdout, Log(), WireCost()
    sys.stdout = log  # the handlers' logs and metrics
    boto3.setup_default_session()
    cost.listen(boto3.DEFAULT_SESSION.events)
    path = LivePath(work["stages"], work["shard_id"], log, cost)
    rounds = [path.round([line.encode() for line in lines]) for lines in work["rounds"]]
    json.dump(rounds, result)


if __name__ == "__main__":
    main()
