"""A stream in memory and the real data, for every test here."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from millrace_cli.records import OutRecord
from millrace_cli.sending import Placed

DATA = Path(__file__).parents[4] / "shared" / "data"


class FakeStream:
    """Keeps what it is given; `verdict(call, record)` may refuse a record with an error code."""

    def __init__(self, verdict: Callable[[int, OutRecord], str | None] | None = None) -> None:
        self.records: list[OutRecord] = []
        self.calls: list[list[OutRecord]] = []
        self._verdict = verdict or (lambda _call, _record: None)

    def put(self, records: Sequence[OutRecord]) -> Sequence[Placed | str]:
        call = len(self.calls)
        self.calls.append(list(records))
        return [self._verdict(call, record) or self._place(record) for record in records]

    def _place(self, record: OutRecord) -> Placed:
        self.records.append(record)
        return Placed("shardId-0", len(self.records))


@pytest.fixture
def stream() -> FakeStream:
    return FakeStream()


@pytest.fixture
def make_stream() -> type[FakeStream]:
    return FakeStream


@pytest.fixture(scope="session")
def wikiticker() -> Path:
    file = DATA / "wikiticker-2015-09-12-sampled.json.gz"
    if not file.is_file():
        pytest.skip("../shared/data is not here: it holds the real data and is not shipped")
    return file
