"""Why a record was rejected: one vocabulary for quarantine, metrics and documents."""

from enum import StrEnum


class RejectReason(StrEnum):
    """Each way in which a record can fail to be an event."""

    KPL_CORRUPT = "kpl_corrupt"
    GZIP_CORRUPT = "gzip_corrupt"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    NESTED_TOO_DEEP = "nested_too_deep"
    MISSING_FIELD = "missing_field"
    WRONG_TYPE = "wrong_type"
    BAD_LENGTH = "bad_length"
    BAD_FORMAT = "bad_format"
    PAYLOAD_INVALID = "payload_invalid"
    TIME_NOT_RFC3339 = "time_not_rfc3339"
    TIME_WITHOUT_OFFSET = "time_without_offset"
    TIME_IN_FUTURE = "time_in_future"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    """Our parser failed in a way it should not: the bytes wait in quarantine for a better one."""
