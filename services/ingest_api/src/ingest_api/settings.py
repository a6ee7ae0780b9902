"""What the front door reads from its environment."""

from typing import Annotated

from pydantic import Field

from millrace.settings import FunctionSettings


class IngestApiSettings(FunctionSettings):
    """One field for each variable; Terraform sets them all."""

    stream_arn: str
    """Stream that takes the events."""
    max_future_skew_s: Annotated[int, Field(ge=0)] = 300
    """As ingest's: what is accepted here is accepted there, where it arrives later."""
    max_event_bytes: Annotated[int, Field(ge=1)] = 1024 * 1024
    """As ingest's."""
    max_body_bytes: Annotated[int, Field(ge=1)] = 10 * 1024 * 1024
    """Largest body, decoded: bounds what a small gzip body can grow to."""
