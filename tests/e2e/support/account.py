"""An account on a local engine of its own, as somebody sees it who deploys into it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from millrace_local.engine import Engine

ROOT = Path(__file__).parents[3]
POLICY = ROOT / "docs" / "deployer-policy.json"
_USER = "deployer"

# The engine authorises these on no resource, or by another name, where AWS knows the resource:
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
ASKED_OTHERWISE = {
    "athena:CreateWorkGroup": "athena:CreateWorkGroup",
    "athena:ListTagsForResource": "athena:ListTagsForResource",
    "cloudwatch:DeleteAlarms": "cloudwatch:DeleteAlarms",
    "cloudwatch:DeleteDashboards": "cloudwatch:DeleteDashboards",
    "cloudwatch:DescribeAlarms": "cloudwatch:DescribeAlarms",
    "cloudwatch:GetDashboard": "cloudwatch:GetDashboard",
    "cloudwatch:ListTagsForResource": "cloudwatch:ListTagsForResource",
    "cloudwatch:PutDashboard": "cloudwatch:PutDashboard",
    "dynamodb:ListTagsOfResource": "dynamodb:ListTagsOfResource",
    "events:DeleteRule": "events:DeleteRule",
    "events:DescribeRule": "events:DescribeRule",
    "events:ListTagsForResource": "events:ListTagsForResource",
    "events:ListTargetsByRule": "events:ListTargetsByRule",
    "events:PutRule": "events:PutRule",
    "events:PutTargets": "events:PutTargets",
    "events:RemoveTargets": "events:RemoveTargets",
    "iam:CreatePolicy": "iam:CreatePolicy",
    "lambda:CreateFunction": "lambda:CreateFunction",
    "lambda:ListEventSourceMappings": "lambda:GetEventSourceMapping",
    "sns:CreateTopic": "sns:CreateTopic",
    "sns:DeleteTopic": "sns:DeleteTopic",
    "sns:GetTopicAttributes": "sns:GetTopicAttributes",
    "sns:ListTagsForResource": "sns:ListTagsForResource",
    "sns:SetTopicAttributes": "sns:SetTopicAttributes",
}


def allowed_actions() -> set[str]:
    """Return the actions of the documented policy; some are patterns."""
    return {
        action for each in json.loads(POLICY.read_text())["Statement"] for action in each["Action"]
    }


@dataclass(frozen=True)
class Account:
    """A blank engine, and the credentials of a user who has the documented policy and no more."""

    engine: Engine
    environment: Mapping[str, str]

    @classmethod
    def of(cls, engine: Engine) -> "Account":
        """Make the user."""
        allowed = allowed_actions()
        for action in ASKED_OTHERWISE.values():
            assert any(fnmatchcase(action, pattern) for pattern in allowed), action
        iam = engine.client("iam")
        iam.create_user(UserName=_USER)
        policy = POLICY.read_text().replace("ACCOUNT_ID", "000000000000")
        asked = [{"Effect": "Allow", "Action": sorted(ASKED_OTHERWISE), "Resource": "*"}]
        otherwise = json.dumps({"Version": "2012-10-17", "Statement": asked})
        for name, document in (("documented", policy), ("otherwise", otherwise)):
            iam.put_user_policy(UserName=_USER, PolicyName=name, PolicyDocument=document)
        key = iam.create_access_key(UserName=_USER)["AccessKey"]
        credentials = {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        return cls(engine, engine.environment() | credentials)

    def deploy(self, command: str, prefix: str = "") -> str:
        """Run what `make COMMAND ENV=dev PREFIX=...` runs, and return what it printed."""
        variables = {"ENV": "dev", "PREFIX": prefix}
        return _run(
            [sys.executable, "-m", "millrace_deploy", command], self.environment | variables
        )

    def millrace(self, *arguments: str) -> str:
        """Run the `millrace` command with all rights and return what it printed."""
        program = str(Path(sys.executable).with_name("millrace"))
        return _run([program, *arguments], self.engine.environment())

    def python(self, code: str) -> str:
        """Run Python with the user's rights and return what it printed."""
        return _run([sys.executable, "-c", code], self.environment)

    def contents(self) -> set[str]:
        """Return everything that is there, by kind and name."""
        return {f"{kind} {name}" for kind, names in self._listings() for name in names}

    def _listings(self) -> Iterator[tuple[str, list[str]]]:
        client = self.engine.client
        yield "stream", client("kinesis").list_streams()["StreamNames"]
        yield "table", client("dynamodb").list_tables()["TableNames"]
        yield "queue", client("sqs").list_queues().get("QueueUrls", [])
        yield "bucket", _names(client("s3").list_buckets()["Buckets"], "Name")
        yield "function", _names(client("lambda").list_functions()["Functions"], "FunctionName")
        mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
        yield "mapping", _names(mappings, "UUID")
        yield "role", _names(client("iam").list_roles()["Roles"], "RoleName")
        yield "policy", _names(client("iam").list_policies(Scope="Local")["Policies"], "PolicyName")
        yield "log group", _names(client("logs").describe_log_groups()["logGroups"], "logGroupName")
        yield "API", _names(client("apigatewayv2").get_apis()["Items"], "Name")
        yield "rule", _names(client("events").list_rules()["Rules"], "Name")
        yield "schedule", _names(client("scheduler").list_schedules()["Schedules"], "Name")
        alarms = client("cloudwatch").describe_alarms()
        yield "alarm", _names(alarms["MetricAlarms"] + alarms["CompositeAlarms"], "AlarmName")
        dashboards = client("cloudwatch").list_dashboards()["DashboardEntries"]
        yield "dashboard", _names(dashboards, "DashboardName")
        yield "database", _names(client("glue").get_databases()["DatabaseList"], "Name")
        groups = client("athena").list_work_groups()["WorkGroups"]
        yield "workgroup", sorted({*_names(groups, "Name")} - {"primary"})  # every account has it
        yield "topic", _names(client("sns").list_topics()["Topics"], "TopicArn")
        tagged = client("resourcegroupstaggingapi").get_resources(
            TagFilters=[{"Key": "project", "Values": ["millrace"]}]
        )
        yield "tagged", _names(tagged["ResourceTagMappingList"], "ResourceARN")


def _names(items: list[Any], field: str) -> list[str]:
    return [item[field] for item in items]


def _run(command: list[str], environment: Mapping[str, str]) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run(
        command,
        env=inherited | dict(environment),
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}"
    return done.stdout
