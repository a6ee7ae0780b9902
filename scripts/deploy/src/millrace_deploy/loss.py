"""What a plan would destroy that holds data."""

from collections.abc import Iterator, Mapping
from typing import Any

# Functions, queues' settings, roles and the like can be made again; what these hold cannot.
_HOLD_DATA = frozenset({"aws_dynamodb_table", "aws_kinesis_stream", "aws_s3_bucket"})


def lost(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the addresses of what holds data and would be deleted or replaced, sorted."""
    return tuple(sorted(change["address"] for change in _deletions(plan)))


def protected(plan: Mapping[str, Any]) -> tuple[str, ...]:
    """Return those of them that are protected: AWS or Terraform would refuse half-way, sorted."""
    return tuple(
        sorted(c["address"] for c in _deletions(plan) if _is_protected(c["change"]["before"]))
    )


def _deletions(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for change in plan.get("resource_changes", []):
        if change["type"] in _HOLD_DATA and "delete" in change["change"]["actions"]:
            yield change


def _is_protected(before: Mapping[str, Any]) -> bool:
    return bool(before.get("deletion_protection_enabled")) or before.get("force_destroy") is False
