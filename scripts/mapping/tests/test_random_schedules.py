"""Ten thousand random schedules keep every promise; broken engines are found out by them.

One of them, with all that happens in it: python -m millrace_mapping --seed 4711
"""

from collections.abc import Sequence

from millrace_mapping.__main__ import run_all, show
from millrace_mapping.core import mapping, shard
from millrace_mapping.core.lineage import Shard
from millrace_mapping.core.mapping import MappingMachine
from millrace_mapping.core.outcome import Answer
from millrace_mapping.core.shard import ShardMachine
from millrace_mapping.simulation.many import failures, run_many
from millrace_mapping.simulation.schedule import build

MANY = range(600)


def test_ten_thousand_schedules_keep_every_promise(figures):
    """No record skipped, order per key kept, retries and ages within limits, parents first."""
    tally = run_many(range(10_000))
    figures(str(tally))
    assert not tally.failures, tally.failures[0]
    assert tally.hours > 10_000


def test_a_seed_is_the_same_story_every_time():
    """Whatever ran before it: two runs of a seed agree in every line."""
    first, second = build(21), build(21)
    first.go()
    second.go()
    told = list(first.audit.timeline.lines())
    assert told == list(second.audit.timeline.lines())
    assert len(told) > 20


def first_failure(machine_type: type[MappingMachine] = MappingMachine, told: str = "") -> str:
    """Return the first story that tells of this."""
    return next((story for story in failures(MANY, machine_type) if told in story), "")


def test_an_engine_that_ignores_partial_answers_is_caught(monkeypatch):
    """What emulators do: a function that returns has processed everything."""
    honest = shard.read_outcome

    def believes_everything(answer: Answer, sequences: Sequence[str], **_: bool) -> object:
        return honest(answer, sequences, reports_item_failures=False)

    monkeypatch.setattr(shard, "read_outcome", believes_everything)
    assert first_failure(told="skipped")


def test_an_engine_that_mixes_keys_is_caught(monkeypatch):
    """Lanes by turn instead of by key."""

    def by_turn(key: str, lanes: int) -> int:
        turns.append(key)
        return len(turns) % lanes

    turns: list[str] = []
    monkeypatch.setattr(shard, "lane_of", by_turn)
    assert first_failure(told="keys in two batches at once")


def test_an_engine_that_forgets_parents_is_caught(monkeypatch):
    """Children read as soon as they are seen."""

    def all_at_once(shards: Sequence[Shard], done: object) -> list[str]:
        del done
        return [each.shard_id for each in shards]

    monkeypatch.setattr(mapping, "readable", all_at_once)
    assert first_failure(told="begun before its parents were done")


def test_an_engine_that_retries_once_more_is_caught(monkeypatch):
    """One attempt too many is as wrong as one too few."""
    honest = shard.is_exhausted

    def late(batch, settings) -> bool:
        return honest(batch, settings) and batch.failures > settings.retries + 1

    monkeypatch.setattr(shard, "is_exhausted", late)
    assert first_failure(told="tried after")


class HastyCheckpoint(ShardMachine):
    """Takes the last record that was read for the last that is done with."""

    @property
    def resume_from(self):
        start = super().resume_from
        last = self._reading.last_read
        return type(start)(start.origin.AFTER, after=last) if last else start


class HastyMapping(MappingMachine):
    shard_machine = HastyCheckpoint


def test_an_engine_that_saves_too_early_is_caught():
    """A crash then skips what was read and not processed."""
    assert first_failure(HastyMapping, "skipped")


class Ageless(ShardMachine):
    """Sends records of any age."""

    def _take_old(self, lane, batch, now):
        return False


class AgelessMapping(MappingMachine):
    shard_machine = Ageless


def test_an_engine_that_sends_old_records_is_caught():
    """The maximum record age is that of the moment of the invocation."""
    assert first_failure(AgelessMapping, "s old")


def test_the_timeline_of_a_failing_seed_can_be_read(monkeypatch, capsys):
    """The command prints what happened, line by line, and what was broken; its exit code is 1."""
    monkeypatch.setattr(shard, "is_exhausted", lambda batch, settings: batch.failures > 0)
    assert run_all(range(50)) == 1
    told = capsys.readouterr().out
    assert "invoke" in told
    assert "AUDIT" in told
    assert "breaks a promise: given up after" in told


def test_the_timeline_of_any_seed_can_be_read(capsys):
    """Also that of a seed with which all is well."""
    assert show(7) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("seed 7: batch ")
    assert told[-1] == "seed 7 keeps all promises"
