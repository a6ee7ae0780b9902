from pathlib import Path
from typing import Any, cast

import pytest

from millrace_cli.archive import ArchiveObject, copy_objects
from millrace_cli.errors import CommandError


class OneBody:
    def body(self, key: str) -> bytes:
        return key.encode()


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    """A copy that cannot go on names the folder and the cause, without a traceback."""
    target = tmp_path / "taken"
    target.write_text("a file, no folder")
    time = "2025-12-28T09:30:00.000Z"
    one = ArchiveObject("2025-12-28T09", "archive/a", 1, 9, time, time)
    with pytest.raises(CommandError, match=r"cannot write below .*not a directory"):
        copy_objects(cast("Any", OneBody()), [one], target)
