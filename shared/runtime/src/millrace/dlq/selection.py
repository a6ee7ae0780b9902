"""Which dead letters an operator means."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from millrace.dlq.letter import Letter


@dataclass(frozen=True, slots=True)
class Selection:
    """Every part narrows it; without any it is the whole queue."""

    message_ids: Collection[str] = field(default_factory=frozenset)
    error: str = ""
    """A part of the error's label, in any case."""
    older_than: timedelta | None = None
    """Sent at least so long ago."""
    newer_than: timedelta | None = None
    """Sent less long ago than this."""
    replay_id: str = ""
    limit: int | None = None
    """At most so many."""

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self == Selection()

    def takes(self, letter: Letter, label: str, now: datetime) -> bool:
        """Tell whether it means this message; `limit` is the caller's to count."""
        age = now - letter.sent_at
        return (
            (not self.message_ids or letter.message_id in self.message_ids)
            and self.error.lower() in label.lower()
            and (self.older_than is None or age >= self.older_than)
            and (self.newer_than is None or age < self.newer_than)
            and (not self.replay_id or letter.replay_id == self.replay_id)
        )

    def fields(self) -> dict[str, str]:
        """Return what was asked for, for the audit; nothing for everything."""
        named = {
            "message_ids": " ".join(sorted(self.message_ids)),
            "error": self.error,
            "older_than": "" if self.older_than is None else str(self.older_than),
            "newer_than": "" if self.newer_than is None else str(self.newer_than),
            "replay_id": self.replay_id,
            "limit": "" if self.limit is None else str(self.limit),
        }
        return {name: value for name, value in named.items() if value}
