"""Changing marks under their version: whoever was faster, nothing that it marked is lost."""

from collections.abc import Callable

from millrace.errors import RetryableError
from millrace.quarantine.marks import CommitMarks
from millrace.quarantine.ports import MarkStore

_ATTEMPTS = 20


def change_marks(
    store: MarkStore, marks: CommitMarks, change: Callable[[CommitMarks], CommitMarks]
) -> tuple[CommitMarks, CommitMarks]:
    """Write what `change` makes of a commit's marks; return them as they were then, and changed.

    marks: as they were read; read again if somebody wrote since.

    Raises:
        RetryableError: others wrote before each of 20 attempts.
    """
    for _ in range(_ATTEMPTS):
        changed = change(marks)
        if changed == marks or store.write(changed):
            return marks, changed
        marks = store.read([marks.key])[marks.key]
    raise RetryableError(f"the marks of commit {marks.key} change all the time; run it again")
