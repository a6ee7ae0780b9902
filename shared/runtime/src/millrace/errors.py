"""Errors that decide where a record or a message goes next."""

from millrace.reasons import RejectReason


class MillraceError(Exception):
    """Base of every error that this project raises on purpose."""


class RejectedRecord(MillraceError):
    """The record can never be accepted: it goes to quarantine and is not retried."""

    def __init__(self, reason: RejectReason, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason
        self.message = message


class RetryableError(MillraceError):
    """Something passing (throttled, unavailable, conflict): the same work may succeed later."""


class ConfigError(MillraceError):
    """The deployment is wrong (a setting, a right, a resource): retrying cannot help."""


class ObjectMissing(MillraceError):
    """The object named by a reference is not in the bucket."""

    def __init__(self, key: str) -> None:
        super().__init__(f"object {key} is missing")
        self.key = key


class CommitMissing(RetryableError):
    """A reference names a commit that the ledger does not (yet) hold."""
