"""What the operator API reads from its environment."""

from collections.abc import Mapping

from millrace.settings import FunctionSettings


class OperatorApiSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    notes_table: str
    """Table in which consumers note why messages failed."""
    audit_table: str
    """Table of what people did by hand."""
    queue_urls: Mapping[str, str]
    """URLs of the queues by name: where messages failed, and go back to."""
    dead_letter_urls: Mapping[str, str]
    """URLs of their dead-letter queues by the same names."""
