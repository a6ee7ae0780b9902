"""Any one service stops, in any way: `millrace status` says which, why, and what starts it again.

What can stop is listed from the stack, so that what is added to it is stopped here too. The
command that a finding prints is carried out, and the pipeline is well again.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import orjson
import pytest
from pipeline import SCHEDULED
from steps import carry_out, run_in_shell
from typer.testing import CliRunner

from millrace_build import Workspace
from millrace_build.venvs import ensure_venv
from millrace_cli.main import app
from millrace_testing.wait import wait_until

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

DEADLINE_S = 60
LIVE = ("ingest", "enrich", "aggregate", "archive")
"""What an event waits for: it is sent while one of these is stopped."""


def look(pipeline) -> list[dict[str, Any]]:
    """Return the findings of `millrace status`, which says by its exit code if a service stands."""
    arguments = ["status", "--json", "--since", "1h", "--engine", pipeline.deployed.engine.name]
    ran = CliRunner().invoke(app, arguments)
    assert ran.exit_code in {0, 3}, ran.output
    found: list[dict[str, Any]] = json.loads(ran.stdout)["findings"]
    assert ran.exit_code == 3 or not [each for each in found if each["check"] == "services"]
    return found


class Sent:
    """One event, sent through the whole pipeline."""

    def __init__(self, pipeline) -> None:
        self._pipeline = pipeline
        self._received = pipeline.status()["counts"]["received"]
        entity = uuid4().hex
        event = {
            "event_type": "stopped", "entity_id": entity, "source": "cockpit",
            "event_time": "2013-04-05T06:07:08Z",
        }  # fmt: skip
        pipeline.deployed.client("kinesis").put_record(
            StreamARN=pipeline.outputs["stream_arn"], Data=orjson.dumps(event), PartitionKey=entity
        )

    def settled(self) -> None:
        self._pipeline.settled(self._received + 1)


class Stopping:
    """Stops a service, reads of it, starts it by the finding's own command."""

    def __init__(self, pipeline) -> None:
        self.pipeline = pipeline
        # What the session's other tests left: a function may have failed at all of its calls.
        self._before = {each["what"] for each in look(pipeline)}

    def causes(self, seen: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        found = look(self.pipeline) if seen is None else seen
        return [each for each in found if each["check"] == "services"]

    def is_as_before(self) -> bool:
        """Say whether nothing is found that was not; in a session of this module, all is well."""
        return {each["what"] for each in look(self.pipeline)} <= self._before

    def new_causes(self, seen: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        return [each for each in self.causes(seen) if each["what"] not in self._before]

    def started_by_its_command(self, service: str, what: str, *, events: bool) -> str:
        """Assert that the one new finding names it, and carry out its command.

        That this helped is seen by the next look, which finds nothing of it.
        """
        sent = Sent(self.pipeline) if events else None
        seen = self.held_up(service) if sent else look(self.pipeline)
        (cause,) = self.new_causes(seen)
        assert (cause["service"], cause["severity"]) == (service, "error")
        assert cause["what"] == f"{service} {what}"
        carry_out(self.pipeline, cause["fix"])
        if sent:
            sent.settled()
        why: str = cause["why"]
        return why

    def held_up(self, service: str) -> list[dict[str, Any]]:
        """Wait until an event is seen to wait for the service; the cause comes first."""
        check = "shards" if service == "ingest" else "stages"

        def waiting() -> list[dict[str, Any]]:
            seen = look(self.pipeline)
            waits = ((each["check"], each["service"]) == (check, service) for each in seen)
            return seen if any(waits) else []

        seen = wait_until(waiting, DEADLINE_S, 0.2)
        cause, *others = [each for each in seen if each["service"] == service]
        assert cause["check"] == "services"
        assert others[0]["why"].startswith(f"{cause['what']}: {cause['why']}")
        return seen


@pytest.fixture
def stopping(pipeline) -> Stopping:
    return Stopping(pipeline)


@contextmanager
def undone_if_it_fails(undo: Callable[..., object], **arguments: object) -> Iterator[None]:
    """Leave it to the finding's command to start the service again, unless the test fails."""
    try:
        yield
    except BaseException:
        undo(**arguments)
        raise


def service_of(pipeline, arn: str) -> str:
    names = {name: service for service, name in pipeline.outputs["functions"].items()}
    return names[arn.split(":")[6]]


def test_every_mapping_that_is_switched_off_is_named(pipeline, stopping):
    """The stream's and each queue's; with an event that waits, where events come by."""
    client = pipeline.deployed.client("lambda")
    mappings = client.list_event_source_mappings()["EventSourceMappings"]
    assert len(mappings) == len(pipeline.outputs["queue_urls"]) + 1
    held_up = set()
    for mapping in mappings:
        service, uuid = service_of(pipeline, mapping["FunctionArn"]), mapping["UUID"]
        events = service in LIVE and not mapping["EventSourceArn"].endswith("-replay")
        client.update_event_source_mapping(UUID=uuid, Enabled=False)
        with undone_if_it_fails(client.update_event_source_mapping, UUID=uuid, Enabled=True):
            why = stopping.started_by_its_command(service, "is not called", events=events)
        source = mapping["EventSourceArn"].rpartition(":")[2].removeprefix("stream/")
        assert f"{source} is Disabled" in why
        held_up.update({service} if events else ())
    assert held_up == set(LIVE)
    assert stopping.new_causes() == []


def test_every_schedule_that_is_disabled_is_named(pipeline, stopping):
    """Each rule that calls a function by the clock, as EventBridge lists them."""
    events = pipeline.deployed.client("events")
    rules = events.list_rules(NamePrefix=f"{pipeline.outputs['name_prefix']}-")["Rules"]
    scheduled = [each["Name"] for each in rules if "ScheduleExpression" in each]
    assert sorted(scheduled) == sorted(pipeline.outputs["schedules"].values())
    for rule in scheduled:
        (target,) = events.list_targets_by_rule(Rule=rule)["Targets"]
        events.disable_rule(Name=rule)
        with undone_if_it_fails(events.enable_rule, Name=rule):
            why = stopping.started_by_its_command(
                service_of(pipeline, target["Arn"]), "is not called", events=False
            )
        assert why == f"its schedule {rule} is DISABLED"
    assert stopping.new_causes() == []


def test_every_function_without_concurrency_is_named(pipeline, stopping):
    """The APIs' too; with an event that waits at one of them."""
    client = pipeline.deployed.client("lambda")
    for service, name in pipeline.outputs["functions"].items():
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
        with undone_if_it_fails(client.delete_function_concurrency, FunctionName=name):
            stopping.started_by_its_command(service, "may not run", events=service == "enrich")
    assert stopping.new_causes() == []


def test_what_is_gone_or_fails_at_every_call_is_named_and_deployed_anew(pipeline, stopping, invoke):
    """A function that cannot be loaded, one deleted, a mapping, a rule: one command mends all."""
    client, events = (pipeline.deployed.client(each) for each in ("lambda", "events"))
    names, uuids = pipeline.outputs["functions"], {}
    for page in client.get_paginator("list_event_source_mappings").paginate():
        uuids |= {each["EventSourceArn"]: each["UUID"] for each in page["EventSourceMappings"]}
    (replay,) = (uuid for arn, uuid in uuids.items() if arn.endswith("-replay_work"))
    rule = pipeline.outputs["schedules"]["export"]

    client.update_function_configuration(
        FunctionName=names["export"], Handler="export.handler.gone"
    )
    for _ in range(3):  # calls are counted by the minute: of a service that nothing else calls now
        assert "FunctionError" in invoke("export", SCHEDULED)
    client.delete_function(FunctionName=names["archive"])
    client.delete_event_source_mapping(UUID=replay)
    events.remove_targets(Rule=rule, Ids=[each["Id"] for each in events.list_targets_by_rule(
        Rule=rule)["Targets"]])  # fmt: skip
    events.delete_rule(Name=rule)

    found = {each["what"]: each for each in stopping.new_causes()}
    assert found.keys() == {
        "export fails at every call", "archive is missing", "replay is not called",
        "export is not called",
    }  # fmt: skip
    assert "no event source mapping reads queue" in found["replay is not called"]["why"]
    assert found["export is not called"]["why"] == f"its schedule {rule} is missing"
    (fix,) = {each["fix"] for each in found.values()}
    run_in_shell(fix, os.environ["PATH"])
    assert {each["what"] for each in stopping.new_causes()} <= {"export fails at every call"}
    assert "FunctionError" not in invoke("export", SCHEDULED)
    Sent(pipeline).settled()
    assert stopping.is_as_before()


def test_a_command_of_awss_cli_runs_as_it_is_printed(pipeline, stopping):
    """By a shell, word for word; the other tests make the calls that the CLI makes of them."""
    workspace = Workspace.here()
    aws = ensure_venv(workspace, workspace.root / "requirements/aws-cli.txt").parent
    client, name = pipeline.deployed.client("lambda"), pipeline.outputs["functions"]["export"]
    client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    with undone_if_it_fails(client.delete_function_concurrency, FunctionName=name):
        (cause,) = stopping.new_causes()
        run_in_shell(cause["fix"], f"{aws}:{os.environ['PATH']}")
    assert stopping.new_causes() == []
