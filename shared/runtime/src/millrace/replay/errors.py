"""What goes wrong when somebody asks for a replay."""

from millrace.errors import MillraceError


class UnknownReplay(MillraceError):
    """No plan or replay has that id."""


class InvalidRequest(MillraceError):
    """Something asked for that cannot be meant; names the field and the remedy."""

    def __init__(self, field: str, fault: str) -> None:
        super().__init__(f"{field}: {fault}")
        self.field = field
        self.fault = fault


class PlanBroken(MillraceError):
    """An object of the plan is not the one that was planned; nothing of it is sent."""
