"""CloudWatch alarms: kept and described whole, in the Query protocol too, which Terraform speaks.

ministack drops an alarm's metric math, and answers in the Query protocol with some members only: a
second plan would change every alarm.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import escape

from millrace_local.shims.patching import attribute, replace

_CLOUDWATCH = "services.cloudwatch"
Response = tuple[int, dict[str, str], bytes]
Handler = Callable[..., Response]
Params = Mapping[str, Any]

# Of one metric; an alarm of several has its expression instead.
_OF_ONE_METRIC = {
    "MetricName", "Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period", "Unit",
}  # fmt: skip


def keep_whole() -> None:
    """Put this before PutMetricAlarm and DescribeAlarms."""
    put = attribute(_CLOUDWATCH, "_put_metric_alarm")
    describe = attribute(_CLOUDWATCH, "_describe_alarms")
    alarms, xml = attribute(_CLOUDWATCH, "_alarms"), attribute(_CLOUDWATCH, "_xml")
    replace(_CLOUDWATCH, "_put_metric_alarm", keeping_metrics(put, alarms, xml))
    replace(_CLOUDWATCH, "_describe_alarms", describing_all(describe, xml))


def keeping_metrics(put: Handler, alarms: Any, xml: Handler) -> Handler:  # noqa: ANN401
    """Return a PutMetricAlarm that keeps the metrics of an expression, in any protocol."""

    def put_metric_alarm(
        params: Params, data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Response:
        by_query = not (is_cbor or is_json)
        request = typed(structured(params)) if by_query else data
        response = put(params, request, is_cbor, is_json or by_query)
        if response[0] != 200:
            return put(params, data, is_cbor, is_json) if by_query else response
        alarm = alarms.get(request["AlarmName"])
        if request.get("Metrics"):
            alarm["Metrics"] = request["Metrics"]
            for name in _OF_ONE_METRIC:
                alarm.pop(name, None)
        return xml(200, "PutMetricAlarmResponse", "") if by_query else response

    return put_metric_alarm


def describing_all(describe: Handler, xml: Handler) -> Handler:
    """Return a DescribeAlarms that leaves out nothing in the Query protocol."""

    def describe_alarms(
        params: Params, data: dict[str, Any], is_cbor: bool, is_json: bool = False
    ) -> Response:
        if is_cbor or is_json:
            return describe(params, data, is_cbor, is_json)
        status, _, body = describe(params, structured(params), False, True)
        if status != 200:
            return describe(params, data, is_cbor, is_json)
        result = "DescribeAlarmsResult"
        answer = f"<{result}>{as_xml(json.loads(body))}</{result}>"
        return xml(200, "DescribeAlarmsResponse", answer)

    return describe_alarms


def structured(params: Params) -> dict[str, Any]:
    """Return a Query request's members as a tree: `A.member.1.B=c` is `{"A": [{"B": "c"}]}`."""
    tree: dict[str, Any] = {}
    for name, value in params.items():
        *path, last = name.split(".")
        node = tree
        for part in path:
            node = node.setdefault(part, {})
        node[last] = value[0] if isinstance(value, list) else value
    found: dict[str, Any] = _lists(tree)
    return found


def _lists(node: Any) -> Any:  # noqa: ANN401 - a tree of text
    if not isinstance(node, dict):
        return node
    if node.keys() == {"member"}:
        return [_lists(node["member"][key]) for key in sorted(node["member"], key=int)]
    return {name: _lists(each) for name, each in node.items()}


def typed(node: Any, name: str = "") -> Any:  # noqa: ANN401 - a tree of text
    """Return the tree with the numbers and truth values of an alarm as such."""
    if isinstance(node, dict):
        return {key: typed(value, key) for key, value in node.items()}
    if isinstance(node, list):
        return [typed(each) for each in node]
    if name in ("ActionsEnabled", "ReturnData"):
        return node == "true"
    if name in ("Period", "EvaluationPeriods", "DatapointsToAlarm"):
        return int(node)
    return float(node) if name == "Threshold" else node


def as_xml(node: Any, name: str = "") -> str:  # noqa: ANN401 - what JSON holds
    """Return an answer's members as the Query protocol writes them; what is null is left out."""
    if isinstance(node, dict):
        return "".join(
            f"<{key}>{as_xml(value, key)}</{key}>"
            for key, value in node.items()
            if value is not None
        )
    if isinstance(node, list):
        return "".join(f"<member>{as_xml(each)}</member>" for each in node)
    if name.endswith("Timestamp"):
        return datetime.fromtimestamp(float(node), UTC).isoformat()
    if isinstance(node, bool):
        return "true" if node else "false"
    return escape(str(node))
