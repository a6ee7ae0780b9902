"""How a run in several processes (`pytest -n 2 --dist loadfile`) is spread over them.

Each process is a session with a blank engine of its own. All that needs the deployed stack goes to
one of them, so that it is deployed once; all else goes file by file, so that the fixtures of a
module are made once. The groups of xdist would say the same, but it writes them into a field that
pytest 9.2 no longer reads.
"""

import json
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

_STACK = "deployed"
_NOTE = "stack_tests"
"""The file in which a process, which knows the fixtures, tells the scheduler what needs the stack:
that one is told names of tests alone."""
_folder = pytest.StashKey[Path]()


def turn(item: pytest.Item) -> int:
    """Return 0 for what the deployed stack is needed for, 1 for an engine's tests, 2 for others.

    The longest come first: the many small files even the ends out.
    """
    fixtures = getattr(item, "fixturenames", ())
    return 0 if _STACK in fixtures else 1 if "engine" in fixtures else 2


class ByStackAndFile(LoadFileScheduling):
    """The stack's tests together, others by their file; in the order of the tests."""

    def __init__(self, config: pytest.Config, log: "Producer") -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    @cached_property
    def _on_stack(self) -> frozenset[str]:
        return frozenset(json.loads(_note(self.config).read_text()))

    def _split_scope(self, nodeid: str) -> str:
        return _STACK if nodeid in self._on_stack else super()._split_scope(nodeid)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In one of several processes: put first what takes long, and tell what needs the stack."""
    if not hasattr(config, "workerinput"):
        return
    items.sort(key=turn)
    needing = [item.nodeid for item in items if turn(item) == 0]
    Path(config.workerinput[_NOTE]).write_text(json.dumps(needing))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: "WorkerController") -> None:
    """Tell a process where to leave its note: all write the same."""
    node.workerinput[_NOTE] = str(_note(node.config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(
    config: pytest.Config, log: "Producer"
) -> LoadFileScheduling | None:
    """Spread by stack and file where files are asked for."""
    return ByStackAndFile(config, log) if config.getoption("dist") == "loadfile" else None


def _note(config: pytest.Config) -> Path:
    if _folder not in config.stash:
        folder = TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        config.stash[_folder] = Path(folder.name)
    return config.stash[_folder] / "stack.json"
