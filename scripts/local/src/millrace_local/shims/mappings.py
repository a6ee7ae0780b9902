"""Event source mappings: created as AWS does, and with the last result of who runs them.

https://docs.aws.amazon.com/lambda/latest/dg/services-kinesis-parameters.html
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from millrace_local.shims.patching import attribute, replace

Handler = Callable[[dict[str, Any]], tuple[int, dict[str, str], bytes]]
View = Callable[[dict[str, Any]], dict[str, Any]]

_DEFAULTS: Mapping[str, object] = {
    "BatchSize": 100,
    "BisectBatchOnFunctionError": False,
    "MaximumRecordAgeInSeconds": -1,
    "MaximumRetryAttempts": -1,
    "ParallelizationFactor": 1,
}


def create_as_aws_does() -> None:
    """Give a Kinesis mapping the defaults of AWS, and keep its starting time."""
    mappings = attribute("services.lambda_svc", "_esms")
    replace(
        "services.lambda_svc",
        "_create_esm",
        complete(attribute("services.lambda_svc", "_create_esm"), mappings),
    )


def complete(create: Handler, mappings: Any) -> Handler:  # noqa: ANN401 - ministack's store
    """Return a CreateEventSourceMapping that leaves out nothing a stream's mapping has."""

    def create_mapping(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        if ":kinesis:" not in (data.get("EventSourceArn") or ""):
            return create(data)
        status, headers, body = create({**_DEFAULTS, **data})
        if status >= 300:
            return status, headers, body
        answer = json.loads(body)
        for member in ("StartingPositionTimestamp", "TumblingWindowInSeconds"):
            if data.get(member) is not None:
                answer[member] = data[member]
                mappings.get(answer["UUID"])[member] = data[member]
        return status, headers, json.dumps(answer).encode()

    return create_mapping


def tell_last_results(state: Path) -> None:
    """Answer with the LastProcessingResult that the poller has written into its state file."""
    replace(
        "services.lambda_svc",
        "_esm_response",
        with_results(attribute("services.lambda_svc", "_esm_response"), state),
    )


def with_results(view: View, state: Path) -> View:
    """Return the view of a mapping with the result that the file holds, if it holds one."""

    def respond(mapping: dict[str, Any]) -> dict[str, Any]:
        answer = view(mapping)
        result = _results(state).get(answer.get("UUID", ""))
        return answer if result is None else {**answer, "LastProcessingResult": result}

    return respond


def _results(state: Path) -> dict[str, str]:
    try:
        document = json.loads(state.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {uuid: entry["result"] for uuid, entry in document["mappings"].items()}
