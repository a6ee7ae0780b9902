"""An apply that is broken off, and what the next one makes of it."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from millrace_local import engine as life_cycle
from millrace_local.engine import Engine
from millrace_local.errors import LocalEngineError
from millrace_local.project import EngineFolder
from millrace_local.terraform import Progress, Terraform
from millrace_local.terraform.lock import deploying
from millrace_local.terraform.process import child
from millrace_testing.wait import wait_until

# Saves its state on the first SIGINT, with more output than a pipe holds.
GENTLE = """
import pathlib, signal, sys, time
seen = []
signal.signal(signal.SIGINT, lambda *_: seen.append(1))
print("ready", flush=True)
while not seen:
    time.sleep(0.01)
print("x" * 1_000_000, flush=True)
pathlib.Path(sys.argv[1]).write_text(f"saved after {len(seen)}")
"""
# Ends on nothing but SIGKILL, and neither does its provider.
STUBBORN = """
import os, pathlib, signal, sys, time
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
provider = os.fork()
if provider:
    pathlib.Path(sys.argv[1]).write_text(str(provider))
    print("ready", flush=True)
while True:
    time.sleep(1)
"""
BLOCKED = """
terraform {
  backend "local" {}
}
resource "terraform_data" "first" {}
resource "terraform_data" "this" {
  depends_on = [terraform_data.first]
  provisioner "local-exec" { command = "%s" }
}
output "done" { value = "yes" }
"""


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """Hear of interrupts also where they are ignored, as in a shell's background jobs."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupted(program: str, note: Path, grace_s: float) -> list[str]:
    """Run a program, interrupt ourselves when it is ready, and return what was said."""
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run_interrupted([sys.executable, "-c", program, str(note)], said, grace_s)
    return said


def run_interrupted(command: list[str], said: list[str], grace_s: float) -> None:
    with child(command, os.environ, said.append, grace_s) as process:
        for line in process.stdout or []:
            if line == "ready\n":
                os.kill(os.getpid(), signal.SIGINT)


def test_an_interrupted_program_may_save_its_state(tmp_path: Path) -> None:
    """It hears of the interrupt once, its output is read to the end, and it ends by itself."""
    said = interrupted(GENTLE, tmp_path / "note", 20)
    assert (tmp_path / "note").read_text() == "saved after 1"
    assert said[-1] == "Terraform has stopped; the next run continues"


def test_a_program_that_does_not_stop_is_ended_with_its_providers(tmp_path: Path) -> None:
    """After the deadline nothing of its group is left."""
    said = interrupted(STUBBORN, tmp_path / "note", 0.1)
    assert said[-1].startswith("Terraform was ended by force")
    provider = int((tmp_path / "note").read_text())
    wait_until(lambda: not is_alive(provider))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_runs_to_one_engine_take_turns(tmp_path: Path) -> None:
    """The second says whom it waits for, and is told that it waited; another engine's does not."""
    folder = EngineFolder(tmp_path, "e")
    said: list[str] = []
    waited: list[bool] = []

    def second() -> None:
        with deploying(folder, said.append) as had_to_wait:
            waited.append(had_to_wait)

    thread = threading.Thread(target=second)
    with deploying(folder, said.append) as first:
        thread.start()
        wait_until(lambda: said == ["another run is deploying to engine e, waiting"])
        with deploying(EngineFolder(tmp_path, "f"), said.append) as other:
            assert (first, other, waited) == (False, False, [])
    thread.join()
    assert waited == [True]
    assert len(said) == 1


@pytest.fixture
def own(engine: Engine) -> Iterator[Engine]:
    """An engine that a test may lose."""
    name = f"{engine.name}-own"
    yield life_cycle.start(name, 0)
    life_cycle.stop(name)


def broken_off(engine: Engine, configuration: Path) -> None:
    """Interrupt an apply as soon as its first resource is there."""
    (configuration / "main.tf").write_text(BLOCKED % "sleep 2")

    def interrupt(_: Progress) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        Terraform(engine, configuration, said.append).apply({}, interrupt)
    assert said[-1] == "Terraform has stopped; the next run continues"


@pytest.mark.engine
def test_after_a_first_apply_that_broke_off_the_engine_is_emptied(
    own: Engine, tmp_path: Path
) -> None:
    """What Terraform may not know of cannot stand in the way of the next run."""
    own.client("sqs").create_queue(QueueName="unknown-to-terraform")
    broken_off(own, tmp_path)
    (tmp_path / "main.tf").write_text(BLOCKED % "true")
    said: list[str] = []
    assert Terraform(own, tmp_path, said.append).apply({}).outputs == {"done": "yes"}
    assert said[0] == f"no apply has ever completed: engine {own.name} is emptied"
    replaced = life_cycle.running(own.name)
    assert replaced.port == own.port
    assert not replaced.client("sqs").list_queues().get("QueueUrls")


@pytest.mark.engine
def test_a_later_apply_that_broke_off_is_continued(own: Engine, tmp_path: Path) -> None:
    """An engine that was in use keeps its data, and the half-applied change is not passed over."""
    (tmp_path / "main.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    terraform = Terraform(own, tmp_path)
    assert terraform.apply({}).was_applied
    before = life_cycle.running(own.name)
    broken_off(own, tmp_path)
    (tmp_path / "main.tf").write_text('terraform {\n  backend "local" {}\n}\n')
    assert terraform.apply({}).was_applied
    assert life_cycle.running(own.name) == before


@pytest.mark.engine
def test_a_second_run_finds_nothing_left_to_do(own: Engine, tmp_path: Path) -> None:
    """Two runs at once: one applies, the other waits and sees that it is done."""
    (tmp_path / "main.tf").write_text(BLOCKED % "sleep 1")
    said: list[str] = []
    results: list[bool] = []

    def run() -> None:
        results.append(Terraform(own, tmp_path, said.append).apply({}).was_applied)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False, True]
    assert said == [f"another run is deploying to engine {own.name}, waiting"]


@pytest.mark.engine
def test_who_waited_for_an_engine_that_ended_is_told(own: Engine, tmp_path: Path) -> None:
    """The wait may end because the engine was stopped; no lock of it stays behind."""
    said: list[str] = []
    errors: list[LocalEngineError] = []

    def run() -> None:
        try:
            Terraform(own, tmp_path, said.append).apply({})
        except LocalEngineError as err:
            errors.append(err)

    thread = threading.Thread(target=run)
    with deploying(own.folder, said.append):
        thread.start()
        wait_until(lambda: said)
        life_cycle.stop(own.name)
    thread.join()
    assert "is not running" in str(errors[0])
    assert not own.folder.apply_lock.exists()
