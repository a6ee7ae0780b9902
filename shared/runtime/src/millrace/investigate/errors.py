"""What an investigator may ask wrongly, or ask in vain."""

from millrace.errors import MillraceError


class InvalidQuestion(MillraceError):
    """A question that cannot be meant: which field, and what to write instead."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}")
        self.field = field
        self.problem = problem


class NotFound(MillraceError):
    """There is nothing to tell about; the message says where else to look."""
