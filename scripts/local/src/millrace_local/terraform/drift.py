"""What a plan would change, attribute by attribute."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, order=True)
class Change:
    """One attribute of one resource; `attribute` is an action when the whole resource changes."""

    address: str
    type: str
    attribute: str

    def __str__(self) -> str:
        """Return it as a reader looks for it."""
        return f"{self.address}: {self.attribute}"


def changes_of(plan: Mapping[str, Any]) -> Iterator[Change]:
    """Yield the changes of a plan (`terraform show -json`), outputs included."""
    for resource in plan.get("resource_changes", []):
        change = resource["change"]
        actions = change["actions"]
        if actions in (["no-op"], ["read"]):
            continue
        if actions != ["update"]:
            yield Change(resource["address"], resource["type"], "+".join(actions))
            continue
        for name in _changed(change):
            yield Change(resource["address"], resource["type"], name)
    for name, change in plan.get("output_changes", {}).items():
        if change["actions"] != ["no-op"]:
            yield Change(f"output.{name}", "output", "+".join(change["actions"]))


def _changed(change: Mapping[str, Any]) -> list[str]:
    before, after = change["before"] or {}, change["after"] or {}
    unknown = {name for name, value in (change.get("after_unknown") or {}).items() if value}
    differing = {n for n in before.keys() | after.keys() if before.get(n) != after.get(n)}
    return sorted(differing | unknown)
