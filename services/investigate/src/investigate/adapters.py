"""What is asked: one deployment's tables, bucket and stream."""

from millrace.aws.clients import dynamodb_client, kinesis_client, s3_client
from millrace.aws.investigation import Investigated, Investigation


def investigation_of(names: Investigated) -> Investigation:
    """Return the use cases on these resources, with clients whose reads are counted."""
    return Investigation(names, dynamodb_client(), s3_client(), kinesis_client())
