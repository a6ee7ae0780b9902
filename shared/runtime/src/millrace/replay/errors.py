"""What goes wrong when somebody asks for a replay."""

from millrace.errors import MillraceError


class UnknownReplay(MillraceError):
    """No plan or replay has that id."""
