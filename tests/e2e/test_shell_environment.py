"""`eval "$(millrace env)"`, then other people's tools: they reach the deployed pipeline."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

pytestmark = [pytest.mark.engine, pytest.mark.e2e]

# What an AWS SDK does with nothing but its environment.
READER = """
import boto3, json, os
bucket = os.environ["MILLRACE_DATA_BUCKET"]
boto3.client("s3").put_object(Bucket=bucket, Key="scratch/env.txt", Body=b"hello")
print(json.dumps({
    "stream": boto3.client("kinesis").describe_stream_summary(
        StreamName=os.environ["MILLRACE_STREAM"])["StreamDescriptionSummary"]["StreamARN"],
    "body": boto3.client("s3").get_object(
        Bucket=bucket, Key="scratch/env.txt")["Body"].read().decode(),
    "table": boto3.client("dynamodb").describe_table(
        TableName=os.environ["MILLRACE_TABLE_COMMITS"])["Table"]["TableStatus"],
    "queue": boto3.client("sqs").get_queue_attributes(
        QueueUrl=os.environ["MILLRACE_QUEUE_ENRICH"], AttributeNames=["QueueArn"]
    )["Attributes"]["QueueArn"],
}))
"""


def in_bash(pipeline, command: str, *arguments: str) -> str:
    """Run a command in a bash that has evaluated `millrace env`, and return what it printed."""
    millrace = Path(sys.executable).with_name("millrace")
    done = subprocess.run(
        ["bash", "-euc", f'eval "$("$1" env)"; {command}', "bash", str(millrace), *arguments],
        env={
            "PATH": "/usr/bin:/bin",
            "MILLRACE_ENGINE": pipeline.deployed.engine.name,
            "HTTP_PROXY": "http://127.0.0.1:9",  # nothing answers there
            "AWS_PROFILE": "no-such-profile",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_aws_sdk_reaches_every_service(pipeline):
    """Stream, bucket, table and queue, whatever profile, proxy or endpoint was set before."""
    seen = json.loads(in_bash(pipeline, '"$2" -c "$3"', sys.executable, READER))
    assert seen["stream"] == pipeline.outputs["stream_arn"]
    assert (seen["body"], seen["table"]) == ("hello", "ACTIVE")
    assert seen["queue"].endswith(pipeline.outputs["queue_urls"]["enrich"].rpartition("/")[2])


def test_duckdb_reads_the_archive(pipeline, tmp_path):
    """With nothing but the statement, DuckDB counts the archive's events on the engine itself."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": "false"})
    try:
        connection.load_extension("httpfs")
    except duckdb.Error:
        pytest.skip("DuckDB's httpfs is not installed: `duckdb -c 'INSTALL httpfs'` downloads it")
    file = tmp_path / "one.ndjson"
    file.write_text(
        '{"event_type":"duck","entity_id":"d","event_time":"2022-02-02T02:00:00Z","source":"duck"}\n'
    )
    before = pipeline.put(file)
    pipeline.settled(before["received"] + 1)
    connection.execute(in_bash(pipeline, 'printf %s "$MILLRACE_DUCKDB"'))
    archive = f"s3://{pipeline.outputs['data_bucket']}/archive/year=2022/month=02/*/*/*.ndjson.gz"
    rows = connection.sql(f"SELECT event_type FROM read_json('{archive}')").fetchall()
    assert rows == [("duck",)]


def test_duckdb_takes_the_secret(pipeline):
    """DuckDB parses the statement; it asks for httpfs, which it must download, and nothing else."""
    statement = in_bash(pipeline, 'printf %s "$MILLRACE_DUCKDB"')
    (parsed,) = duckdb.extract_statements(statement)
    assert parsed.type is duckdb.StatementType.CREATE
