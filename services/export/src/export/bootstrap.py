"""Wires export to AWS, once per cold start."""

from datetime import timedelta

from export.adapters.archive import ManifestedArchive
from export.adapters.files import S3ClientFiles
from export.adapters.progress import Stream, StreamProgress
from export.adapters.rows import DynamoDirtyHours, DynamoExports
from export.adapters.spill import DiskSpill
from export.domain.files import Placement
from export.domain.form import Form
from export.hours import HourlyExport
from export.service import Bounds, Export
from export.settings import ExportSettings
from millrace.aws.clients import dynamodb_client, kinesis_client, s3_client
from millrace.aws.manifests import ManifestsReader
from millrace.aws.objects import S3Objects
from millrace.clock import SystemClock
from millrace.observability import service_logger


def build_export(settings: ExportSettings) -> HourlyExport:
    """Return the use case on the resources that `settings` names."""
    dynamodb, s3, clock = dynamodb_client(), s3_client(), SystemClock()
    table = settings.manifests_table
    return HourlyExport(
        dirty_hours=DynamoDirtyHours(dynamodb, table),
        progress=StreamProgress(
            kinesis_client(),
            dynamodb,
            settings.commits_table,
            Stream(settings.stream_arn, settings.stream_incarnation),
            clock,
        ),
        export=Export(
            archive=ManifestedArchive(
                ManifestsReader(dynamodb, table), S3Objects(s3, settings.data_bucket)
            ),
            exports=DynamoExports(dynamodb, table, clock),
            files=S3ClientFiles(s3),
            placement=Placement(
                settings.data_bucket,
                settings.export_client_buckets,
                Form(settings.export_format, settings.export_compression),
            ),
            new_spill=lambda: DiskSpill(settings.export_spill_bytes * 19 // 10),
            bounds=Bounds(
                settings.export_segments, settings.export_uploads, settings.export_spill_bytes
            ),
        ),
        clock=clock,
        grace=timedelta(seconds=settings.export_grace_s),
        logger=service_logger("export", settings.log_level),
        reserve_s=settings.export_reserve_s,
    )
