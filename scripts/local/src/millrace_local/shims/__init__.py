"""Where ministack differs from AWS in a way that matters here: one small function for each.

Standard library only: these modules run inside the engine. They reach ministack by name, so that
the development venv, which does not have it, can test their logic.
"""

from pathlib import Path

from millrace_local.shims import (
    alarm_requests,
    alarms,
    calls,
    emf,
    iam,
    limits,
    mappings,
    queue_metrics,
    resharding,
    streams,
    upkeep,
    workers,
)


def install_all(
    worker_python: Path,
    engine_variables: frozenset[str],
    mapping_state: Path,
    *,
    shard_limits: bool,
) -> None:
    """Install every shim. Raises: MissingAttribute: ministack has changed underneath one."""
    workers.use_bare_interpreter(worker_python)
    workers.hide_engine_variables(engine_variables)
    workers.mark_end_of_log()
    streams.switch_off_poller()
    streams.keep_tags_of_create()
    streams.number_as_aws_does()
    resharding.keep_closed_shards()
    if shard_limits:
        limits.enforce()
    mappings.create_as_aws_does()
    mappings.tell_last_results(mapping_state)
    iam.name_actions_as_aws_does()
    iam.authorise_partiql_by_statement()
    emf.turn_log_lines_into_metrics()
    calls.count_every_call()
    upkeep.do_what_is_due()
    alarm_requests.keep_whole()
    alarms.judge_as_aws_does(before=queue_metrics.publishing())
