"""Wires the front door to AWS, once per cold start."""

from datetime import timedelta

from ingest_api.adapters import KinesisStream, kinesis_client
from ingest_api.service import FrontDoor
from ingest_api.settings import IngestApiSettings
from millrace.event import EventLimits


def build_front_door(settings: IngestApiSettings) -> FrontDoor:
    """Return the use case on the stream that `settings` names."""
    return FrontDoor(
        stream=KinesisStream(kinesis_client(), settings.stream_arn),
        limits=EventLimits(
            max_future_skew=timedelta(seconds=settings.max_future_skew_s),
            max_event_bytes=settings.max_event_bytes,
        ),
        max_body_bytes=settings.max_body_bytes,
    )
