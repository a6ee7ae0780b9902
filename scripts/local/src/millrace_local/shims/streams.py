"""Kinesis: the built-in mapping poller goes to sleep, and CreateStream keeps its tags."""

from collections.abc import Callable
from typing import Any

from millrace_local.shims.patching import attribute, replace

Handler = Callable[[dict[str, Any]], tuple[int, dict[str, str], bytes]]


def switch_off_poller() -> None:
    """Leave Kinesis mappings to `millrace_local.mapping`.

    ministack's own ignores ReportBatchItemFailures, windows and retries, and so loses records
    without a word. The mappings stay Enabled, as Terraform wants to find them.
    """
    replace("services.lambda_svc", "_poll_kinesis", lambda: False)


def keep_tags_of_create() -> None:
    """Store the `Tags` of CreateStream, which ministack drops: a second plan would add them."""
    replace(
        "services.kinesis",
        "_create_stream",
        keeping_tags(
            attribute("services.kinesis", "_create_stream"),
            attribute("services.kinesis", "_add_tags"),
        ),
    )


def keeping_tags(create: Handler, add_tags: Handler) -> Handler:
    """Return a CreateStream that also stores the request's tags once the stream is there."""

    def create_stream(data: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        response = create(data)
        if response[0] == 200 and data.get("Tags"):
            add_tags({"StreamName": data["StreamName"], "Tags": data["Tags"]})
        return response

    return create_stream
