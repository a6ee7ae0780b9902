"""A stream in memory and the real data, for every test here."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from millrace_cli.records import OutRecord

DATA = Path(__file__).parents[4] / "shared" / "data"


class FakeStream:
    """Keeps what it is given; `verdict(call, record)` may refuse a record with an error code."""

    def __init__(self, verdict: Callable[[int, OutRecord], str | None] | None = None) -> None:
        self.records: list[OutRecord] = []
        self.calls: list[list[OutRecord]] = []
        self._verdict = verdict or (lambda _call, _record: None)

    def put(self, records: Sequence[OutRecord]) -> Sequence[str | None]:
        call = len(self.calls)
        self.calls.append(list(records))
        answers = [self._verdict(call, record) for record in records]
        self.records += [r for r, code in zip(records, answers, strict=True) if code is None]
        return answers


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
