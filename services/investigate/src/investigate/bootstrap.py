"""Wires investigate to AWS, once per cold start."""

from investigate.adapters import Cockpit, CockpitNames, investigation_of
from investigate.service import Desk
from investigate.settings import InvestigateSettings
from millrace.aws.aggregate_fields import row_json
from millrace.aws.aggregates import scope_of
from millrace.aws.investigation import Investigated
from millrace.aws.services import ServiceNames
from millrace.investigate.cockpit.commands import Commands


def build_desk(settings: InvestigateSettings) -> Desk:
    """Return the use cases on the resources that `settings` names."""
    names = Investigated(
        commits_table=settings.commits_table,
        gate_table=settings.gate_table,
        event_index_table=settings.event_index_table,
        aggregates_table=settings.aggregates_table,
        manifests_table=settings.manifests_table,
        replays_table=settings.replays_table,
        data_bucket=settings.data_bucket,
        stream_arn=settings.stream_arn,
        stream_incarnation=settings.stream_incarnation,
    )
    asked = investigation_of(names)
    services = ServiceNames(
        settings.functions, settings.schedules, settings.stream_arn, settings.queue_urls
    )
    cockpit = Cockpit(
        asked,
        CockpitNames(
            names,
            services,
            settings.dead_letter_urls,
            settings.notes_table,
            settings.repair_days,
        ),
    )
    return Desk(
        biographer=lambda: asked.biographer,
        timeline=lambda: asked.timeline,
        gaps=asked.gaps,
        commits=asked.commits,
        duplicates=asked.duplicates,
        late=asked.late,
        sources=asked.sources,
        aggregates=asked.aggregates,
        row_json=row_json,
        scope_of=scope_of,
        unfinished=asked.unfinished,
        inspect=cockpit.inspect,
        commands=Commands(settings.functions, settings.name_prefix),
        cost=asked.cost,
        clock=asked.clock,
    )
