"""What a plan would destroy: only what holds data, and what of it is protected."""

from millrace_deploy.loss import lost, protected


def change(kind, actions, before=None):
    return {
        "address": f"{kind}.this",
        "type": kind,
        "change": {"actions": actions, "before": before or {}},
    }


def test_deleting_and_replacing_are_losses():
    """A stream that is replaced is as empty as one that is gone."""
    plan = {
        "resource_changes": [
            change("aws_kinesis_stream", ["delete", "create"]),
            change("aws_dynamodb_table", ["delete"]),
            change("aws_s3_bucket", ["update"]),
            change("aws_lambda_function", ["delete", "create"]),
        ]
    }
    assert lost(plan) == ("aws_dynamodb_table.this", "aws_kinesis_stream.this")


def test_protection_is_a_tables_or_a_buckets():
    """A table by its deletion protection, a bucket by refusing to go with its objects."""
    held = {
        "aws_dynamodb_table": {"deletion_protection_enabled": True},
        "aws_s3_bucket": {"force_destroy": False},
    }
    free = {
        "aws_dynamodb_table": {"deletion_protection_enabled": False},
        "aws_s3_bucket": {"force_destroy": True},
    }
    assert protected({"resource_changes": [change(k, ["delete"], b) for k, b in held.items()]}) == (
        "aws_dynamodb_table.this",
        "aws_s3_bucket.this",
    )
    assert not protected({"resource_changes": [change(k, ["delete"], b) for k, b in free.items()]})


def test_a_plan_without_changes_loses_nothing():
    """Also one that Terraform gave no changes at all."""
    assert lost({}) == protected({}) == ()
