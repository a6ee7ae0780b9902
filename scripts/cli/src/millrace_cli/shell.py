"""`eval "$(millrace env)"`: the variables by which other tools reach a deployment.

The AWS CLI and every AWS SDK read the AWS_* variables; DuckDB reads none of them by itself, so the
statement that tells it is a variable too, for `duckdb -cmd "$MILLRACE_DUCKDB"`.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from botocore.credentials import Credentials

from millrace_cli.environment import Outputs

_ENDPOINT = "AWS_ENDPOINT_URL"
_SQS_ENDPOINT = f"{_ENDPOINT}_SQS"
"""Beside the other: without it AWS's command line of version 1 goes to AWS with queues."""
# Each would send a tool, or one of its services, elsewhere than the variables that are set say.
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
_MISLEADING = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
    *(
        f"{_ENDPOINT}_{service}"
        for service in ("CLOUDWATCH", "CLOUDWATCH_LOGS", "DYNAMODB", "IAM", "KINESIS", "LAMBDA",
                        "S3", "STS")
    ),
)  # fmt: skip
_NO_PROXY = ("NO_PROXY", "no_proxy")


@dataclass(frozen=True, slots=True)
class ShellVariables:
    """What to set and what to remove so that tools reach one deployment."""

    title: str
    exports: Mapping[str, str]
    unset: tuple[str, ...] = ()

    def script(self) -> str:
        """Return a script for sh, bash and zsh, safe for `eval`; people read it too."""
        lines = [f"# {self.title}", '# Use it: eval "$(millrace env)"; undo it: --unset']
        if self.unset:
            lines.append(f"unset {' '.join(self.unset)}")
        lines += [f"export {name}={shlex.quote(text)}" for name, text in self.exports.items()]
        return "\n".join([*lines, _duckdb_comment(), ""])

    def undo(self) -> str:
        """Return the script that removes what `script` set."""
        return f"unset {' '.join(self.exports)}\n"


def of_engine(
    outputs: Outputs, endpoint: str, credentials: Credentials, no_proxy: str = ""
) -> ShellVariables:
    """Return the variables of the pipeline on a local engine.

    no_proxy: what the caller's variable holds; the engine's address is added to it.
    """
    host = endpoint.partition("://")[2]
    address = host.partition(":")[0]
    direct = ",".join(filter(None, (address, *_others(no_proxy, address))))
    return ShellVariables(
        f"Millrace on the local engine at {endpoint}",
        {
            _ENDPOINT: endpoint,
            _SQS_ENDPOINT: endpoint,
            **_region(outputs),
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            **dict.fromkeys(_NO_PROXY, direct),
            **_resources(outputs),
            "MILLRACE_DUCKDB": _secret(
                f"KEY_ID {_sql(credentials.access_key)}, SECRET {_sql(credentials.secret_key)}, "
                f"REGION {_sql(outputs.region)}, ENDPOINT {_sql(host)}, "
                "URL_STYLE 'path', USE_SSL false"
            ),
        },
        _MISLEADING,
    )


def of_deployment(
    outputs: Outputs, name: str | None, profile: str | None, endpoint: str | None
) -> ShellVariables:
    """Return the variables of a pipeline that `make deploy` deployed.

    name: of the environment; None if it is known by its outputs alone. Credentials stay those of
    the caller, or become the profile's. endpoint: None is AWS itself.
    """
    chosen = {"AWS_PROFILE": profile} if profile else {}
    place = {_ENDPOINT: endpoint, _SQS_ENDPOINT: endpoint} if endpoint else {}
    named = {"MILLRACE_ENV": name} if name else {}
    provider = "PROVIDER credential_chain" + (f", PROFILE {_sql(profile)}" if profile else "")
    found = f"of the profile {profile}" if profile else "as they are found (AWS_PROFILE, SSO)"
    return ShellVariables(
        f"Millrace: {name or outputs.name_prefix}, region {outputs.region}; credentials {found}",
        {
            **place,
            **_region(outputs),
            **chosen,
            **named,
            **_resources(outputs),
            "MILLRACE_DUCKDB": _secret(f"{provider}, REGION {_sql(outputs.region)}"),
        },
        () if endpoint else (_ENDPOINT, _SQS_ENDPOINT),
    )


def _region(outputs: Outputs) -> dict[str, str]:
    return {"AWS_REGION": outputs.region, "AWS_DEFAULT_REGION": outputs.region}


def _resources(outputs: Outputs) -> dict[str, str]:
    tables = outputs.tables.model_dump()
    return {
        "MILLRACE_STREAM": outputs.stream_arn.rpartition("/")[2],
        "MILLRACE_STREAM_ARN": outputs.stream_arn,
        "MILLRACE_DATA_BUCKET": outputs.data_bucket,
        **({"MILLRACE_API": outputs.api_endpoint} if outputs.api_endpoint else {}),
        **{f"MILLRACE_TABLE_{name.upper()}": table for name, table in tables.items()},
        **{f"MILLRACE_QUEUE_{name.upper()}": url for name, url in outputs.queue_urls.items()},
    }


def _secret(options: str) -> str:
    """https://duckdb.org/docs/stable/core_extensions/httpfs/s3api."""
    return f"CREATE OR REPLACE SECRET millrace (TYPE s3, {options});"


def _sql(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _duckdb_comment() -> str:
    return (
        "# DuckDB reads S3 with its extension httpfs, which it downloads once (INSTALL httpfs; on\n"
        "# AWS also: INSTALL aws). Where that is out of reach, LOAD the file of your DuckDB's\n"
        "# version by its path: from another machine, or from PyPI's duckdb-extension-httpfs.\n"
        '#   duckdb -cmd "LOAD httpfs; $MILLRACE_DUCKDB"\n'
        "#   FROM read_json('s3://BUCKET/archive/*/*/*/*/*.ndjson.gz', hive_partitioning = true);"
    )


def _others(no_proxy: str, address: str) -> list[str]:
    return [each for each in no_proxy.split(",") if each.strip() and each.strip() != address]
