"""Checks of the services: is each there, is it called, may it run, does it fail at every call?"""

from collections.abc import Iterator

from millrace.investigate.cockpit.findings import Check, Finding, Severity, Step, Tool, logs, many
from millrace.investigate.cockpit.readings import MappingReading, Readings, ServiceReading
from millrace.investigate.cockpit.thresholds import Thresholds

STREAM_READER = "ingest"
_QUEUES = {"replay": "enrich", "replay_work": "replay", "failures": "watch"}
_ON = frozenset({"Enabled", "Enabling", "Creating", "Updating"})
"""https://docs.aws.amazon.com/lambda/latest/api/API_GetEventSourceMapping.html"""
_DEPLOY = Step(Tool.DEPLOY, ())


def fed_by(queue: str) -> str:
    """Return the service that works on a queue; most queues are called like theirs."""
    return _QUEUES.get(queue, queue)


def check_services(seen: Readings, _limits: Thresholds) -> Check:
    """Find services that do not run, or to no effect; the number is services (1) each."""
    services, not_asked = seen.services.services, seen.services.not_asked
    withheld = f"not looked at, as these credentials may not: {', '.join(not_asked)}"
    if not services:
        return Check("services", withheld)
    mappings = sum(len(each.mappings) for each in services)
    schedules = sum(each.schedule is not None for each in services)
    looked_at = (
        f"{many(len(services), 'function')}: whether they are there, may run and fail; "
        f"{many(mappings, 'mapping')}, {many(schedules, 'schedule')}"
    )
    found = tuple(finding for each in services for finding in _stopped(each))
    return Check("services", f"{looked_at}; {withheld}" if not_asked else looked_at, found)


def stopped_because(service: str, seen: Readings) -> str:
    """Return what has stopped a service, for what follows from that; empty if nothing has."""
    found = (each for each in seen.services.services if each.service == service)
    return "; ".join(f"{why.what}: {why.why}" for each in found for why in _stopped(each))


def _stopped(service: ServiceReading) -> Iterator[Finding]:
    name, look = service.service, logs(service.service)

    def cause(what: str, why: str, fix: Step) -> Finding:
        return Finding(Severity.ERROR, f"{name} {what}", 1, look, fix, why, service=name,
                       is_cause=True)  # fmt: skip

    if not service.exists:
        yield cause("is missing", "Lambda has no such function", _DEPLOY)
        return
    if service.unable:
        yield cause("cannot run", service.unable, _DEPLOY)
    if not service.may_run:
        yield cause("may not run", "its reserved concurrency is 0",
                    Step(Tool.CONCURRENCY, (name,)))  # fmt: skip
    yield from (_off(name, each) for each in service.mappings if each.state not in _ON)
    for source in service.unread:
        yield cause("is not called", f"no event source mapping reads {source}", _DEPLOY)
    schedule = service.schedule
    if schedule is not None and schedule.state is None:
        yield cause("is not called", f"its schedule {schedule.rule} is missing", _DEPLOY)
    elif schedule is not None and schedule.state == "DISABLED":
        yield cause("is not called", f"its schedule {schedule.rule} is {schedule.state}",
                    Step(Tool.SCHEDULE_ON, (schedule.rule,)))  # fmt: skip
    if service.failed is not None:
        why = f"its last {many(service.failed.calls, 'call')} failed; its log says how. Deploying "
        why += "undoes what was changed by hand"
        yield Finding(Severity.ERROR, f"{name} fails at every call", 1, look, _DEPLOY, why,
                      service.failed.since, name, is_cause=True)  # fmt: skip


def _off(service: str, mapping: MappingReading) -> Finding:
    return Finding(
        Severity.ERROR, f"{service} is not called", 1, logs(service),
        Step(Tool.MAPPING_ON, (mapping.uuid,)),
        f"its event source mapping of {mapping.source} is {mapping.state}", mapping.changed_at,
        service, is_cause=True,
    )  # fmt: skip
