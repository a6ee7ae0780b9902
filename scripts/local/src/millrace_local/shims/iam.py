"""IAM: requests are authorised under AWS's action names, so that policies name only those.

Source: https://docs.aws.amazon.com/service-authorization/latest/reference/ (list_amazonsqs.html,
list_amazondynamodb.html, list_awslambda.html).
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from millrace_local.shims.patching import attribute, replace

Check = tuple[str, str]
TransactionChecks = Callable[[str, bytes, str, str], list[Check]]

# The batch calls of SQS have no action of their own.
_SQS_ACTIONS = {
    "sqs:SendMessageBatch": "sqs:SendMessage",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
}

# ministack takes all that is done about a function's concurrency for putting it.
_CONCURRENCY = "lambda:PutFunctionConcurrency"
_CONCURRENCY_ACTIONS = {
    "GET": "lambda:GetFunctionConcurrency",
    "DELETE": "lambda:DeleteFunctionConcurrency",
}

_PARTIQL_ACTIONS = {
    "dynamodb:BatchExecuteStatement": "Statements",
    "dynamodb:ExecuteTransaction": "TransactStatements",
    "dynamodb:ExecuteStatement": None,
}

# A table and perhaps an index: gate, "millrace-gate", "millrace-commits"."unfinished".
_NAME = r'(?:"(?P<quoted>[^"]+)"|(?P<bare>\w+))(?:\."(?P<index>[^"]+)")?'
_STATEMENTS = (
    ("Insert", re.compile(rf"\s*INSERT\s+INTO\s+{_NAME}\s", re.IGNORECASE)),
    ("Update", re.compile(rf"\s*UPDATE\s+{_NAME}\s", re.IGNORECASE)),
    ("Delete", re.compile(rf"\s*DELETE\s+FROM\s+{_NAME}\s", re.IGNORECASE)),
    ("Select", re.compile(rf"\s*SELECT\s.*?\sFROM\s+{_NAME}(?:\s|$)", re.IGNORECASE | re.DOTALL)),
)


def name_actions_as_aws_does() -> None:
    """Authorise calls under the action that AWS names, where ministack names another."""
    original = attribute("core.iam_actions", "extract_iam_action")
    replace("core.iam_actions", "extract_iam_action", with_names(original))


def with_names(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """Return what finds a request's action: of its service, its method, its path and more."""

    def extract_iam_action(service: str, method: str, *rest: Any) -> str | None:  # noqa: ANN401 - passed through
        action = extract(service, method, *rest)
        if action == _CONCURRENCY:
            return _CONCURRENCY_ACTIONS.get(method, action)
        return _SQS_ACTIONS.get(action or "", action)

    return extract_iam_action


def authorise_partiql_by_statement() -> None:
    """Authorise PartiQL calls statement by statement, on the table that each one names.

    One difference stays: ministack refuses the whole call where AWS answers a forbidden statement
    of a batch with its own `AccessDenied`.
    """
    original = attribute("core.iam_actions", "dynamodb_transaction_checks")
    replace("core.iam_actions", "dynamodb_transaction_checks", with_partiql(original))


def with_partiql(transaction_checks: TransactionChecks) -> TransactionChecks:
    """Return ministack's per-item checks, extended by those of PartiQL statements."""

    def checks(action: str, body: bytes, region: str, account_id: str) -> list[Check]:
        if action not in _PARTIQL_ACTIONS:
            return transaction_checks(action, body, region, account_id)
        prefix = f"arn:aws:dynamodb:{region}:{account_id}:table/"
        return [partiql_check(text, prefix) or (action, "*") for text in _statements(action, body)]

    return checks


def partiql_check(statement: str, arn_prefix: str) -> Check | None:
    """Return the action and the ARN that a statement needs; None when it is not understood."""
    for verb, pattern in _STATEMENTS:
        if found := pattern.match(statement):
            index = f"/index/{found['index']}" if found["index"] else ""
            return f"dynamodb:PartiQL{verb}", arn_prefix + (
                found["quoted"] or found["bare"]
            ) + index
    return None


def _statements(action: str, body: bytes) -> Iterator[str]:
    try:
        request = json.loads(body or b"{}")
    except ValueError:
        return
    member = _PARTIQL_ACTIONS[action]
    for statement in [request] if member is None else request.get(member) or []:
        yield str(statement.get("Statement", ""))
