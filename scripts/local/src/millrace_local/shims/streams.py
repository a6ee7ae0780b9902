"""Kinesis: no built-in mapping poller, tags kept at creation, sequence numbers as in AWS."""

from collections.abc import Callable
from typing import Any

from millrace_local.shims.patching import attribute, replace

Handler = Callable[[dict[str, Any]], tuple[int, dict[str, str], bytes]]

# ministack's numbers have 30 digits, AWS's 56 and no leading zero; this is how those begin.
# https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html (its sample event)
_FIRST_DIGITS = "49590338271490256608559692"


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


def number_as_aws_does() -> None:
    """Issue sequence numbers that stay the same when read as an integer and written again."""
    replace(
        "services.kinesis",
        "_next_sequence_number",
        without_leading_zeros(attribute("services.kinesis", "_next_sequence_number")),
    )


def without_leading_zeros(next_number: Callable[[], str]) -> Callable[[], str]:
    """Return a source of the same numbers in the same order, 56 digits each.

    One width, because ministack compares them as text.
    """

    def next_sequence_number() -> str:
        return f"{_FIRST_DIGITS}{next_number():0>30}"

    return next_sequence_number
