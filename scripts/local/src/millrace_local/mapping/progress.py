"""Between a running mapping and its state file."""

from collections.abc import Mapping

from millrace_local.mapping.state import MappingProgress, ShardProgress
from millrace_mapping.core.mapping import SavedShard
from millrace_mapping.core.measures import Result
from millrace_mapping.core.settings import Origin, Start
from millrace_mapping.core.shard import ShardMachine
from millrace_mapping.runner import MappingRunner


def progress_of(runner: MappingRunner, earlier: MappingProgress, now: float) -> MappingProgress:
    """Return how far the mapping has got; earlier: what was known before."""
    saved = runner.save()
    shards = {
        shard_id: _waiting(known, earlier.shards.get(shard_id)) for shard_id, known in saved.items()
    }
    with runner.lock:
        for shard_id, shard in runner.shards.items():
            shards[shard_id] = _running(shard.machine, saved[shard_id], shard.broken, now)
        results = [shard.machine.last_result for shard in runner.shards.values()]
    return MappingProgress(
        stream_arn=earlier.stream_arn,
        function_arn=earlier.function_arn,
        ignored_settings=earlier.ignored_settings,
        shards=shards,
        paused=earlier.paused,
        result=_result(results, runner.problem) or earlier.result,
        problem=runner.problem,
    )


def saved_of(progress: MappingProgress) -> Mapping[str, SavedShard]:
    """Return where a mapping continues."""
    return {
        shard_id: SavedShard(_start(shard), shard.closed)
        for shard_id, shard in progress.shards.items()
    }


def _result(results: list[Result], problem: str | None) -> str | None:
    """Return the mapping's last result: a problem of any shard goes before the others' success."""
    if problem is not None:
        return f"PROBLEM: {problem}"
    for result in (Result.DENIED, Result.FAILED, Result.THROTTLED, Result.OK):
        if result in results:
            return result
    return None


def _start(shard: ShardProgress) -> Start:
    if shard.position is not None:
        return Start(Origin.AFTER, after=shard.position)
    return Start(Origin(shard.origin), at=shard.origin_at)


def _waiting(saved: SavedShard, earlier: ShardProgress | None) -> ShardProgress:
    """Return the progress of a shard that is not being read: done with, or waiting."""
    progress = earlier or ShardProgress()
    progress.closed = saved.is_done
    return _placed(progress, saved.start)


def _running(
    machine: ShardMachine, saved: SavedShard, broken: str | None, now: float
) -> ShardProgress:
    progress = ShardProgress(
        delivered=machine.done_count,
        discarded=machine.discarded_count,
        lost=machine.lost_count,
        buffered=machine.open_count,
        in_flight=machine.in_flight,
        iterator_age_ms=machine.age_ms(now),
        caught_up_at=machine.caught_up_at,
        attempts=machine.attempts,
        last_result=": ".join(filter(None, (machine.last_result, machine.last_reason))),
        blocked=f"the poller failed: {broken}" if broken else None,
        closed=machine.is_done,
    )
    return _placed(progress, saved.start)


def _placed(progress: ShardProgress, start: Start) -> ShardProgress:
    if start.origin is Origin.AFTER:
        progress.position = start.after
    else:
        progress.origin, progress.origin_at = start.origin.value, start.at
    return progress
