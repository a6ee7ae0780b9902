"""Poison deploys: a right is taken, dead letters gather, it comes back, and all is exact."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
from botocore.credentials import Credentials
from pipeline import Pipeline

from millrace_cli.api import SignedApi
from millrace_local.environment import CREDENTIALS
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DEADLINE_S = 180
DAY = "2013-03-03"
POISON = "poison: no reference"
TAKEN = {
    "aggregate": ("dynamodb:UpdateItem", "table/{prefix}-aggregates"),
    "enrich": ("dynamodb:BatchWriteItem", "table/{prefix}-event_index"),
    "archive": ("s3:PutObject", "{bucket}/archive/*"),
}


@dataclass
class Stage:
    """One consumer of the deployment, and what can be done to it."""

    pipeline: Pipeline
    name: str
    tag: str = field(default_factory=lambda: uuid4().hex[:8])
    poisoned: int = 0
    received: int = 0

    @property
    def source(self) -> str:
        return f"poisoned-{self.tag}"

    @contextmanager
    def without_its_right(self) -> Iterator[None]:
        """Deny its role what it needs; inside, its queue tries again at once, not after 30 s."""
        outputs = self.pipeline.outputs
        iam, sqs = self.pipeline.deployed.client("iam"), self.pipeline.deployed.client("sqs")
        role, url = f"{outputs['name_prefix']}-{self.name}", outputs["queue_urls"][self.name]
        name = "VisibilityTimeout"
        before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
        iam.put_role_policy(RoleName=role, PolicyName="poison", PolicyDocument=self._deny())
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: "1"})
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="poison")
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: before[name]})

    def _deny(self) -> str:
        action, resource = TAKEN[self.name]
        outputs = self.pipeline.outputs
        place = resource.format(prefix=outputs["name_prefix"], bucket=outputs["data_bucket"])
        service = action.partition(":")[0]
        arn = f"arn:aws:s3:::{place}" if service == "s3" else f"arn:aws:{service}:*:*:{place}"
        statement = {"Effect": "Deny", "Action": action, "Resource": arn}
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]})

    def poison(self) -> None:
        """Send what can never be processed."""
        sqs = self.pipeline.deployed.client("sqs")
        url = self.pipeline.outputs["queue_urls"][self.name]
        sqs.send_message(QueueUrl=url, MessageBody=POISON)
        self.poisoned += 1

    def send(self, file: Path, events: int) -> dict[str, Any]:
        """Send events of a source of its own and return the counts before."""
        file.write_bytes(b"\n".join(orjson.dumps(self._event(n)) for n in range(events)) + b"\n")
        before = self.pipeline.put(file)
        self.received = before["received"] + events
        return before

    def _event(self, number: int) -> dict[str, Any]:
        return {
            "event_type": "poisoned",
            "entity_id": f"user_{number % 50}",
            "event_time": f"{DAY}T{number % 24:02d}:30:00Z",
            "source": self.source,
            "event_id": f"{self.tag}-{number}",
        }

    def dead(self) -> dict[str, Any]:
        """Return what `dlq list` says of its queue."""
        listed = json.loads(self.pipeline.millrace("dlq", "list", "--json", exit_codes=(0, 3)))
        return next(each for each in listed if each["queue"] == self.name)

    def all_dead(self) -> dict[str, Any] | None:
        """Return the same once nothing is on its way any more but what is dead."""
        urls = self.pipeline.outputs["queue_urls"].values()
        if self.held_by(self.pipeline.outputs["dlq_urls"][self.name]) <= self.poisoned:
            return None
        if any(map(self.held_by, urls)):
            return None
        is_received = self.pipeline.status()["counts"]["received"] >= self.received
        return self.dead() if is_received else None

    def held_by(self, url: str) -> int:
        """Return how many messages a queue holds: asked often, and cheaper than the command."""
        sqs = self.pipeline.deployed.client("sqs")
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(found[name]) for name in names)

    def redrive(self, *arguments: str, exit_code: int = 0) -> dict[str, Any]:
        printed = self.pipeline.millrace(
            "dlq", "redrive", self.name, "--json", *arguments, exit_codes=(exit_code,)
        )
        return json.loads(printed)[0]

    def settled(self, before: dict[str, Any], events: int) -> None:
        """Wait until every stage has each event once, and nothing is unfinished."""
        stages = ("received", "accepted", "enriched", "aggregated", "archived")

        def is_settled() -> bool:
            now = self.pipeline.status()["counts"]
            whole = {now[stage] - before[stage] for stage in stages} == {events}
            return whole and now["unfinished_commits"] == 0

        wait_until(is_settled, DEADLINE_S, 1)

    def counted(self) -> int:
        """Return how many of its events the aggregates hold."""
        rows = json.loads(
            self.pipeline.millrace(
                "aggregates", "--scope", f"SOURCE#{self.source}", "--window", "day", "--json"
            )
        )
        return sum(row["value"] for row in rows if row["metric_name"] == "event_count")


@pytest.fixture
def api(pipeline) -> SignedApi:
    """The API as a client with root's rights sees it."""
    keys = CREDENTIALS["AWS_ACCESS_KEY_ID"], CREDENTIALS["AWS_SECRET_ACCESS_KEY"]
    outputs = pipeline.outputs
    return SignedApi(outputs["api_endpoint"], outputs["region"], lambda: Credentials(*keys))


@pytest.fixture
def new_stage(pipeline) -> Callable[[str], Stage]:
    return lambda name: Stage(pipeline, name)


def test_a_poison_deploy_is_redriven_exactly(new_stage, tmp_path):
    """Its 5,000 events fill the queue, which says why; a vain redrive moves canaries alone."""
    stage = new_stage("aggregate")
    with stage.without_its_right():
        before = stage.send(tmp_path / "events.ndjson", 5_000)
        stage.poison()
        dead = wait_until(stage.all_dead, DEADLINE_S, 1)
        (denied,) = (each["error"] for each in dead["groups"] if "UpdateItem" in each["error"])
        vain = stage.redrive("--error", denied, exit_code=3)
        assert (vain["sent"], vain["groups"][0]["verdict"]) == (0, "still fails")
        assert wait_until(stage.all_dead, DEADLINE_S, 1)["messages"] == dead["messages"]
    done = stage.redrive(exit_code=3)
    assert done["sent"] == dead["messages"] - 1
    assert {each["verdict"] for each in done["groups"]} == {"works", "still fails"}
    stage.settled(before, 5_000)
    assert stage.counted() == 5_000
    _purged(stage, tmp_path)


def test_enrich_is_redriven_exactly(new_stage, tmp_path):
    """What it could not index is indexed, counted and archived."""
    stage = new_stage("enrich")
    with stage.without_its_right():
        before = stage.send(tmp_path / "events.ndjson", 500)
        wait_until(stage.all_dead, DEADLINE_S, 1)
    assert stage.redrive()["left"] == 0
    stage.settled(before, 500)
    assert stage.counted() == 500


def test_archive_is_redriven_exactly_over_http(new_stage, api, tmp_path):
    """The same by the API, which shows why, under its function's own role."""
    stage = new_stage("archive")
    with stage.without_its_right():
        before = stage.send(tmp_path / "events.ndjson", 500)
        dead = wait_until(stage.all_dead, DEADLINE_S, 1)
    shown = api.get("/dlq/archive").json()
    assert (shown["messages"], "AccessDenied" in shown["groups"][0]["error"]) == (
        dead["messages"], True,
    )  # fmt: skip
    body = orjson.dumps({"reason": "the right is back"})
    done = api.post("/dlq/archive/redrive", body, {"content-type": "application/json"}).json()
    assert (done["sent"], done["remaining"], done["call_again"]) == (dead["messages"], 0, False)
    stage.settled(before, 500)
    assert stage.counted() == 500


def _purged(stage: Stage, folder: Path) -> None:
    """The poison comes back, is written down, and only then deleted; who and why is kept."""
    # Five times the queue's 30 s are too long to wait for.
    sqs, outputs = stage.pipeline.deployed.client("sqs"), stage.pipeline.outputs
    url = outputs["queue_urls"][stage.name]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    try:
        wait_until(lambda: stage.held_by(outputs["dlq_urls"][stage.name]) == 1, DEADLINE_S)
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "30"})
    export = folder / "purged.ndjson"
    arguments = ("dlq", "purge", stage.name, "--to", str(export), "--reason", "poison")
    name = stage.dead()["dead_letter_queue"]
    stage.pipeline.millrace(*arguments, "--confirm", "another", exit_codes=(2,))
    stage.pipeline.millrace(*arguments, "--confirm", name)
    (row,) = map(json.loads, export.read_text().splitlines())
    assert (row["body"], "MalformedReference" in row["error"]) == (POISON, True)
    assert stage.dead()["messages"] == 0
    listed = stage.pipeline.millrace("audit", "--operation", "dlq.purge", "--json")
    last = json.loads(listed.splitlines()[-1])
    assert (last["phase"], last["subject"], last["reason"], last["counts"]) == (
        "done", name, "poison", {"purged": 1},
    )  # fmt: skip
