"""Metric definitions for tests, as the TOML that a deployment holds."""

import json
from collections.abc import Sequence


def metric(
    name: str,
    kind: str = "count",
    *,
    dimensions: Sequence[str] = ("type",),
    windows: Sequence[str] = ("hour",),
    **more: str,
) -> bytes:
    """Return one metric's table; several are added up.

    more: `of`, `value` and `mode`.
    """
    fields = {
        "name": name, "kind": kind, "dimensions": list(dimensions), "windows": list(windows),
        **more,
    }  # fmt: skip
    # Strings and arrays of strings are written alike in JSON and TOML: https://toml.io/en/v1.0.0
    lines = (f"{field} = {json.dumps(value)}\n" for field, value in fields.items())
    return ("[[metric]]\n" + "".join(lines)).encode()
