"""What a scan's report means: faults are named with the remedy, and nothing passes unread."""

from typing import Any

import pytest

from millrace_build.errors import BuildError
from millrace_build.scan import Scan, judge


def report(
    *, failed: tuple[Any, ...] = (), skipped: tuple[Any, ...] = (), passed: int = 3, unread: int = 0
) -> Any:
    summary = {"passed": passed, "skipped": len(skipped), "parsing_errors": unread}
    results = {"failed_checks": list(failed), "skipped_checks": list(skipped)}
    return {"results": results, "summary": summary}


def check(reason: str = "") -> dict[str, Any]:
    return {
        "check_id": "CKV_AWS_18",
        "check_name": "Ensure the S3 bucket has access logging enabled",
        "check_result": {"suppress_comment": reason},
        "file_path": "/modules/bucket/main.tf",
        "file_line_range": [3, 6],
        "resource": "aws_s3_bucket.this",
    }


def test_a_clean_report_is_counted() -> None:
    """Skips with their reasons are no faults."""
    assert judge(report(skipped=(check("nobody reads them"),))) == Scan(passed=3, skipped=1)


def test_a_failed_check_names_place_and_remedy() -> None:
    """File, line and resource, and how to say that it is meant."""
    expected = (
        r"terraform/modules/bucket/main\.tf:3: aws_s3_bucket.*#checkov:skip=CKV_AWS_18:REASON"
    )
    with pytest.raises(BuildError, match=expected):
        judge(report(failed=(check(),)))


@pytest.mark.parametrize("reason", ["", "No comment provided"])
def test_a_skip_without_a_reason_is_a_fault(reason: str) -> None:
    """What checkov itself would let pass."""
    with pytest.raises(BuildError, match="CKV_AWS_18 is skipped without a reason"):
        judge(report(skipped=(check(reason),)))


@pytest.mark.parametrize(
    "given",
    [
        report(unread=1),
        report(passed=0),
        {"passed": 0, "failed": 0, "skipped": 0, "parsing_errors": 0},
    ],
)
def test_code_that_was_not_read_does_not_pass(given: dict[str, Any]) -> None:
    """A file that checkov cannot parse, or no file at all, is no clean scan."""
    with pytest.raises(BuildError, match="only in part"):
        judge(given)
