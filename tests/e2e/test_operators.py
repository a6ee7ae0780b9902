"""The policies for people, on the deployed pipeline: what each lets `millrace` do, IAM enforced.

Somebody works as on AWS, by Terraform's outputs and credentials of their own. Only the engine's
calls are seen here: it moves no dead letters by itself (StartMessageMoveTask and its like).
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
from pipeline import Pipeline

from millrace.aws.ledger import DynamoLedger
from millrace.commit import ShardKey
from millrace.reference import Reference
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DAY, NEXT_DAY = "2014-08-01", "2014-08-02"
EVENTS = 12
REASON = ("--reason", "seen to by a test")
METRICS = """
[[metric]]
name = "event_count"
kind = "count"
dimensions = ["source"]
windows = ["day"]
event_types = ["nothing-like-it"]
"""


@dataclass(frozen=True)
class Person:
    """Somebody with credentials and no other rights than those of their policies."""

    environment: dict[str, str]
    outputs: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command."""
        return subprocess.run(
            [Path(sys.executable).with_name("millrace"), *arguments],
            env=self.environment | {"MILLRACE_OUTPUTS": str(self.outputs), "PATH": os.defpath},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def millrace(self, *arguments: str, exit_codes: tuple[int, ...] = (0,)) -> str:
        """Run the command and return what it printed."""
        ran = self.run(*arguments)
        assert ran.returncode in exit_codes, f"{arguments}: {ran.stdout}{ran.stderr}"
        return ran.stdout

    def failures(self, commands: Iterable[tuple[str, ...]]) -> dict[str, str]:
        """Return what each command that fails says of it; 3 is an answer: something is missing."""
        ran = {" ".join(each[:2]): self.run(*each) for each in commands}
        return {name: each.stderr for name, each in ran.items() if each.returncode not in (0, 3)}


@pytest.fixture
def person(pipeline: Pipeline, tmp_path: Path) -> Iterator[Callable[..., Person]]:
    """Make users with the policies of these outputs; gone after the test."""
    iam, made = pipeline.deployed.client("iam"), []
    outputs = tmp_path / "outputs.json"
    outputs.write_text(json.dumps(pipeline.outputs))

    def make(*policies: str) -> Person:
        name = f"person-{uuid4().hex[:8]}"
        iam.create_user(UserName=name)
        arns = [pipeline.outputs[f"{each}_policy_arn"] for each in policies]
        for arn in arns:
            iam.attach_user_policy(UserName=name, PolicyArn=arn)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        made.append((name, arns, key["AccessKeyId"]))
        own = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        return Person(pipeline.deployed.engine.environment() | own, outputs)

    yield make
    for name, arns, key_id in made:
        for arn in arns:
            iam.detach_user_policy(UserName=name, PolicyArn=arn)
        iam.delete_access_key(UserName=name, AccessKeyId=key_id)
        iam.delete_user(UserName=name)


@pytest.fixture(scope="module")
def source(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A source with events of one hour, and one record that lacks its time, in the pipeline."""
    name = f"operators-{uuid4().hex[:8]}"
    events = [
        {
            "event_type": "operated", "entity_id": f"{name}-{n % 3}", "source": name,
            "event_time": f"{DAY}T10:{n:02d}:00Z", "event_id": f"{name}-{n}",
        }
        for n in range(EVENTS)
    ]  # fmt: skip
    bad = {key: value for key, value in events[0].items() if key != "event_id"}
    bad["ts"] = bad.pop("event_time")
    file = tmp_path_factory.mktemp("operators") / "events.lines"
    file.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in (*events, bad)))
    before = pipeline.put(file, "--format", "lines")
    pipeline.settled(before["received"] + EVENTS + 1)
    return name


@pytest.fixture
def dead_letter(pipeline: Pipeline, source: str) -> Iterator[str]:
    """A reference that enrich has worked off already, as a dead letter: harmless to send back."""
    outputs, client = pipeline.outputs, pipeline.deployed.client
    shard = ShardKey(outputs["stream_incarnation"], "shardId-000000000000")
    ledger = DynamoLedger(client("dynamodb"), outputs["tables"]["commits"])
    head = next(each for each in ledger.heads(shard) if each.raw_key is not None)
    url = outputs["dlq_urls"]["enrich"]
    sent = client("sqs").send_message(QueueUrl=url, MessageBody=Reference.to(head).to_json())
    yield sent["MessageId"]
    client("sqs").purge_queue(QueueUrl=url)


def shown(who: Person) -> list[str]:
    """Return the ids of enrich's dead letters, as somebody sees them."""
    letters: list[dict[str, str]] = json.loads(who.millrace("dlq", "show", "enrich", "--json"))
    return [each["message_id"] for each in letters]


def test_an_investigator_sees_everything_and_changes_nothing(person, source, dead_letter, tmp_path):
    """Every question is answered; a redrive, a plan, a drop and a put are refused by IAM."""
    ann = person("investigator")
    window = ("--from", f"{DAY}T00:00:00Z", "--to", f"{NEXT_DAY}T00:00:00Z")
    checks = json.loads(ann.millrace("status", "--json", exit_codes=(0, 3)))["checks"]
    assert checks
    assert dead_letter in shown(ann)
    questions = (
        ("dlq", "list", "--json"),
        ("failures", "list", "--all", "--json"),
        ("quarantine", "list", "--source", source, "--json"),
        ("quarantine", "stats", "--json"),
        ("event", f"{source}-1", "--source", source, "--json"),
        ("events", "--entity", f"{source}-1", *window, "--json"),
        ("gaps", "--source", source, *window, "--json"),
        ("lag", "--json"),
        ("duplicates", "--json"),
        ("late", "--json"),
        ("sources", "--json"),
        ("aggregates", "--scope", f"SOURCE#{source}", "--json"),
        ("archive", "cat", f"{DAY}T10"),
        ("replay", "list", "--json"),
        ("audit", "--json"),
    )
    assert ann.failures(questions) == {}

    file = tmp_path / "more.ndjson"
    file.write_text('{"event_type":"x","entity_id":"y","event_time":"2014-08-01T10:00:00Z"}\n')
    attempts = (
        ("dlq", "redrive", "enrich", "--force", *REASON),
        ("replay", "plan", *window, "--source", source),
        ("quarantine", "drop", "--source", source, *REASON),
        ("export", f"{DAY}T10"),
        ("put", str(file)),
    )
    refused = ann.failures(attempts)
    assert len(refused) == len(attempts), refused
    assert all("not allowed" in each for each in refused.values()), refused
    assert dead_letter in shown(ann)


def test_an_operator_puts_right_what_an_investigator_sees(person, source, dead_letter, tmp_path):
    """Redrive, replay with promotion, recovery and export work, and are in the audit."""
    ben = person("investigator", "operator")
    redriven = json.loads(
        ben.millrace(
            "dlq", "redrive", "enrich", "--force", "--message-id", dead_letter, *REASON, "--json"
        )
    )
    assert [each["sent"] for each in redriven] == [1]
    assert dead_letter not in shown(ben)

    (metrics := tmp_path / "metrics.toml").write_text(METRICS)
    window = ("--from", f"{DAY}T00:00:00Z", "--to", f"{NEXT_DAY}T00:00:00Z", "--source", source)
    planned = ben.millrace("replay", "plan", *window, "--metrics", str(metrics), "--json")
    plan_id = json.loads(planned)["plan_id"]
    started = json.loads(ben.millrace("replay", "apply", plan_id, *REASON, "--json"))

    def completed() -> bool:
        status = json.loads(ben.millrace("replay", "status", started["replay_id"], "--json"))
        return bool(status["state"] == "completed")

    wait_until(completed, 120, 0.5)
    ben.millrace("replay", "diff", started["replay_id"], "--json", exit_codes=(0, 3))
    ben.millrace("replay", "promote", started["replay_id"], "--yes", *REASON)

    rule = tmp_path / "rule.toml"
    rule.write_text('steps = [{ rename = "ts", to = "event_time" }]\n')
    recovered = json.loads(
        ben.millrace(
            "quarantine", "recover", "--rule", str(rule), "--source", source, *REASON, "--wait",
            "--json",
        )
    )  # fmt: skip
    assert recovered["sent"] == 1
    ben.millrace("export", f"{DAY}T10")

    done = {json.loads(line)["operation"] for line in ben.millrace("audit", "--json").splitlines()}
    assert done >= {"dlq.redrive", "replay.apply", "replay.promote", "quarantine.recover"}
