"""Packing: which files ship, and bytes that depend on content alone."""

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millrace_build.bundle import is_shipped, pack


@pytest.mark.parametrize(
    ("name", "shipped"),
    [
        ("ingest/handler.py", True),
        ("orjson/orjson.cpython-311-x86_64-linux-gnu.so", True),
        ("orjson-3.13.0.dist-info/METADATA", True),
        ("orjson-3.13.0.dist-info/licenses/LICENSE", True),
        ("orjson-3.13.0.dist-info/RECORD", False),
        ("millrace-0.1.0.dist-info/direct_url.json", False),
        ("millrace-0.1.0.dist-info/uv_cache.json", False),
        ("millrace/uv_table.json", True),
        ("bin/jp.py", False),
        ("millrace/bin/tool.py", True),
        ("ingest/__pycache__/handler.cpython-311.pyc", False),
        ("some/tests/test_x.py", False),
        ("some/tests.py", True),
    ],
)
def test_what_ships(name: str, shipped: bool) -> None:
    """Code, data and licences ship; traces of installing, byte code and tests do not."""
    assert is_shipped(PurePosixPath(name)) is shipped


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}\.py", fullmatch=True), st.binary(max_size=64)))
def test_bytes_depend_on_content_alone(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    """Neither the order of writing, nor times, nor permissions change the zip."""
    archives = []
    for number, names in enumerate([list(files), list(reversed(files))]):
        folder = tmp_path_factory.mktemp("content")
        for name in names:
            path: Path = folder / name
            path.write_bytes(files[name])
            path.chmod(0o600 if number else 0o755)
            os.utime(path, (number * 1_000_000, number * 1_000_000))
        archive = tmp_path_factory.mktemp("zip") / "it.zip"
        pack(folder, archive)
        archives.append(archive.read_bytes())
    assert archives[0] == archives[1]
